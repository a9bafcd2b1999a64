"""The log of a server that we run: its latest lines, followed; and those of the run before.

Asked of the place where it runs each time, and kept nowhere. Lines of servers are shown as text.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from control.changes.installations import managed
from control.changes.server_states import refuse_remote
from control.console.live import LiveParts, Look
from control.console.rendering import page_text
from control.console.visit import Visit
from control.registry.installation import Installation
from control.servers.runtime import Runtime, RuntimeAway
from control.store import installations
from control.store.pool import transaction

MOST_LINES: Final = 300
"""That a page shows: with the longest ones some hundred kilobytes."""
_LONGEST_LINE: Final = 500
_LONGEST_FILTER: Final = 128
_WITHIN_S: Final = 5.0
_PAUSE_S: Final = 2.0
"""Between two looks of a page that follows: each is a question to the place where the server runs."""
_NOWHERE: Final = "Nothing runs servers here: ARCHWAY_RUNTIME of control is not set."
_SLOW: Final = "The place where it runs did not answer in time."


@dataclass(frozen=True, slots=True)
class Asked:
    """Which log is asked for, and which lines of it, as the address of the page says."""

    previous: bool = False
    """The log of the run before."""
    text: str = ""
    """Lines with this in them alone."""


@dataclass(frozen=True, slots=True)
class Log:
    """What there is of a log at one moment."""

    lines: tuple[str, ...] = ()
    away: str = ""
    """Why it cannot be read now."""


async def show(visit: Visit) -> web.Response:
    """The page."""
    row, asked = await _found(visit), _asked(visit)
    log = await latest(visit.deps.runtime, row.id, asked)
    return visit.page("installations/logs.html", row=row, log=log, most=MOST_LINES, asked=asked)


class FollowedLogs:
    """Follows logs: a stream for each open page."""

    def __init__(self) -> None:
        self._live = LiveParts(_PAUSE_S)

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Answer with a stream, until the page is left."""
        row, asked = await _found(visit), _asked(visit)

        async def look() -> Look:
            log = await latest(visit.deps.runtime, row.id, asked)
            return Look(
                state=log,
                text=lambda: page_text(visit.request, "installations/log_lines.html", log=log, asked=asked),
                done=asked.previous,
            )

        return await self._live.follow(visit, look)


async def latest(runtime: Runtime | None, installation_id: str, asked: Asked) -> Log:
    """The latest lines of those that are asked for."""
    if runtime is None:
        return Log(away=_NOWHERE)
    found: deque[str] = deque(maxlen=MOST_LINES)
    try:
        async with asyncio.timeout(_WITHIN_S):
            async for line in runtime.logs(installation_id, lines=MOST_LINES, previous=asked.previous, follow=False):
                shown = line.decode(errors="replace").rstrip("\r\n")
                if asked.text.casefold() in shown.casefold():
                    found.append(shown[:_LONGEST_LINE])
    except RuntimeAway as away:
        return Log(away=str(away))
    except TimeoutError:
        return Log(away=_SLOW)
    return Log(tuple(found))


def _asked(visit: Visit) -> Asked:
    query = visit.request.query
    return Asked(query.get("run") == "before", query.get("text", "")[:_LONGEST_FILTER])


async def _found(visit: Visit) -> Installation:
    """The installation whose server it is. NotThere; NotAllowed; NotNow where Archway runs none for it."""
    async with transaction(visit.pool, readonly=True) as connection:
        found = await installations.one(connection, visit.named("installation_id"))
    row = managed(found, visit.caller, "installation:update")
    refuse_remote(row)
    return row
