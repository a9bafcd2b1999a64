"""Whether the people who signed in are still there at their provider: asked every four hours, with what it gave them.

One owner in each replica, made by `control/replica.py`. Here is who is due; what is asked, and what comes of it, is
in `refreshes.py`. A provider that cannot be asked signs nobody out; its people are asked about again in minutes. Its
answer may also say who they are now, so that teams and roles follow. Whom a provider gave no refresh token cannot be
asked about: their sessions end eight hours after they signed in, as all of single sign-on do.
"""

import asyncio
from typing import Final

from control.changes import kept_tokens as changes
from control.changes.write import changing
from control.identity.refreshes import Refreshes
from control.registry.access import Caller
from control.store import identities
from control.store.pool import Pool, transaction
from core.tasks import forever

OLDER_S: Final = 4 * 3_600.0
"""Half of the eight hours within which whoever has vanished is out: the other half is for a provider that is away."""
AGAIN_S: Final = 300.0
ROUND_S: Final = 60.0
AT_ONCE: Final = 200
"""Of one round; twelve thousand an hour."""
_SWEEP: Final = Caller(user_id="", name="what ended", role="admin")


class Presence:
    """Asks providers about the people who signed in with them, and forgets what they gave that has ended."""

    def __init__(self, pool: Pool, refreshes: Refreshes) -> None:
        self._pool, self._refreshes = pool, refreshes

    async def run(self) -> None:
        """Ask about whoever is due, until cancelled."""
        await forever("presence", self._round, ROUND_S)

    async def ask_about_due(self, older_s: float = OLDER_S) -> int:
        """Ask about the people of whom a provider has not spoken for so long; how many were asked about. A provider
        that is away is asked about one of them, so that nobody waits for it who is another's.
        """
        async with transaction(self._pool, readonly=True) as connection:
            due = await identities.due(connection, older_s=older_s, again_s=AGAIN_S, limit=AT_ONCE)
        away: set[str] = set()
        asked = 0
        for identity_id, version, provider_id in due:
            if provider_id not in away:
                asked += 1
                run = self._refreshes.run(identity_id, version, provider_id)
                await asyncio.wait((run,))  # a round that ends leaves it alone
                if run.result().is_away:
                    away.add(provider_id)
        return asked

    async def forget_ended(self) -> None:
        """Forget what providers gave that has ended and cannot be refreshed."""
        async with changing(self._pool, _SWEEP) as write:
            await changes.forget_ended(write)

    async def _round(self) -> None:
        await self.forget_ended()
        await self.ask_about_due()
        await asyncio.sleep(ROUND_S)
