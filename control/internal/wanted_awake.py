"""Notes that servers are called, of those that are ended when nobody calls them, and has them started again.

Called by `questions.py` for each permitted question of a proxy about how a server is reached: proxies ask on the
first call, and again about what calls use, before what they hold is old. Nobody else wakes a server: whoever may not
call it is refused before.
"""

import time
from typing import Final

from control.changes import idle_servers
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.registry.entry import Entry
from control.registry.idleness import NOTED_EVERY
from control.registry.installation import Installation
from control.registry.self_hosted import SelfHosted
from control.store.pool import Pool

REMEMBERED: Final = 20_000


class WantedAwake:
    """Knows of one replica which servers it has noted as called just now."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._noted: dict[str, float] = {}
        """By installation, the monotonic time until which it need not be noted again."""

    async def called(self, entry: Entry, installation: Installation) -> bool:
        """Note that a call wants it; whether it was not awake when it was read, so that it is to be read again.

        Raises StoreUnavailable and StoreConflict.
        """
        if not isinstance(entry.reached, SelfHosted) or not entry.reached.idle_minutes:
            return False
        awake = installation.idleness is None or installation.idleness.is_awake
        if awake and time.monotonic() < self._noted.get(installation.id, 0.0):
            return False
        async with changing(self._pool, SERVER) as write:
            woken = await idle_servers.use(write, installation.id)
        if len(self._noted) >= REMEMBERED:
            self._noted.clear()
        self._noted[installation.id] = time.monotonic() + NOTED_EVERY.total_seconds()
        return woken or not awake
