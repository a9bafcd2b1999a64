"""Ends servers that nobody has called for as long as their entry says; `control/registry/idleness.py` has the steps.

Run by whoever leads, beside the loop over servers (`control/servers/loop.py`), which ends what is to be asleep and
starts it again. Before one is ended all workers of proxies must have said that they forgot how it is reached, and
judged their calls that run: such a call asks control, and so does the next one. While they cannot be told, since
Redis is away, or one of them does not answer, nothing is ended. Uses that nobody noted, since no control ran, are
made up for by counting from the start of this one at the earliest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from control.changes import idle_servers as changes
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.publish.acknowledgements import Acknowledged
from control.registry.server_state import Place
from control.store import idle_servers, publication
from control.store.pool import Pool, transaction

LOOK_S: Final = 15.0
HEARD_WITHIN_S: Final = 10.0
"""For workers to say that they have heard; else they are waited for at the next look."""
SETTLE_S: Final = 5.0
"""After that, for what they ask meanwhile, such as for callers who are subscribed to something of it."""
AT_ONCE: Final = 100
"""Servers that begin to doze at one look."""

Heard = Callable[[int, float], Awaitable[Acknowledged]]
"""Who has applied what was announced up to this number, after so many seconds at the latest."""


class Sleeper:
    """Has idle servers ended, for as long as it runs."""

    def __init__(self, pool: Pool, place: Place, heard: Heard, settle_s: float = SETTLE_S) -> None:
        self._pool, self._place, self._heard, self._settle_s = pool, place, heard, settle_s

    async def run(self) -> None:
        """Until cancelled, or until the database is away."""
        async with transaction(self._pool, readonly=True) as connection:
            since = await idle_servers.now(connection)
        while True:
            await asyncio.sleep(LOOK_S)
            _ = await self.look(since)

    async def look(self, since: datetime) -> list[str]:
        """One look; who fell asleep. `since`: uses were noted from then on."""
        async with changing(self._pool, SERVER) as write:
            await changes.count(write)
        dozing = await self._dozing(since)
        if not dozing:
            return []
        async with transaction(self._pool, readonly=True) as connection:
            upto = await publication.newest_change(connection)
        heard = await self._heard(upto, HEARD_WITHIN_S)
        if not heard.announced or heard.silent:
            return []
        await asyncio.sleep(self._settle_s)
        asleep = []
        for name in dozing:
            async with changing(self._pool, SERVER) as write:
                if await changes.fall_asleep(write, name):
                    asleep.append(name)
        return asleep

    async def _dozing(self, since: datetime) -> list[str]:
        """Those that doze now, the ones that begin to among them."""
        async with transaction(self._pool, readonly=True) as connection:
            now = await idle_servers.now(connection)
            counted = await idle_servers.ready(connection, self._place)
        dozing = [one.installation_id for one in counted if not one.idleness.is_awake]
        idle = [one for one in counted if one.idleness.is_idle(one.minutes, since, now)]
        for one in idle[:AT_ONCE]:
            async with changing(self._pool, SERVER) as write:
                if await changes.doze(write, one.installation_id, one.minutes, since):
                    dozing.append(one.installation_id)
        return dozing
