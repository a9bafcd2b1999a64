"""The light of Connect: an event stream that says when a client has called the gateway.

Called by `routes.py`. A replica looks into the records once a second for each open page. How a stream goes and ends:
`live.py`.
"""

from typing import Final

from aiohttp import web

from control.console.last_call import LastCall, last_call
from control.console.live import LONGEST_S, MOST_OPEN, PAUSE_S, LiveParts, Look
from control.console.rendering import page_text
from control.console.shown_gateways import named
from control.console.visit import Visit
from control.store.pool import transaction

AFTER: Final = "after"
"""Names the call that there was when a token was made: the page then waits for one with that token."""


class OpenLights:
    """The lights that one replica keeps up: a stream for each open page that waits for a gateway's first call."""

    def __init__(self, pause_s: float = PAUSE_S, longest_s: float = LONGEST_S, most: int = MOST_OPEN) -> None:
        self._live = LiveParts(pause_s, longest_s, most)

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Answer with a stream, until there is a call that went well, or the time is over."""
        async with transaction(visit.pool, readonly=True) as connection:
            shown = await named(connection, visit.caller, visit.deps.public_url, visit.named("gateway"))

        async def look() -> Look:
            call = await _last(visit, shown.gateway.id)
            return Look(
                state=call.id if call else None,
                text=lambda: page_text(visit.request, "connect/light.html", call=call),
                done=call is not None and call.well,
            )

        return await self._live.follow(visit, look)


async def _last(visit: Visit, gateway_id: str) -> LastCall | None:
    async with transaction(visit.pool, readonly=True) as connection:
        found = await last_call(connection, visit.caller, gateway_id)
    return None if found is not None and found.id == visit.request.query.get(AFTER) else found
