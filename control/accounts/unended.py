"""Ends sign-ins at providers that nobody brought to an end: what came is given back, once their time is over.

Run by `control/replica.py` in every replica; rows that one has locked are passed over by the others. The providers
are told by `revocations.py`.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from control.accounts.ending import cancel
from control.registry.row_seals import RowSeals
from control.store import account_sign_ins
from control.store.pool import Pool, transaction
from core.tasks import forever

EVERY_S: Final = 5.0
_AGAIN_AFTER_S: Final = 5.0
_MOST: Final = 200
"""Of one round."""


class UnendedSignIns:
    """Ends sign-ins whose time is over; it needs the database, and what opens what is sealed."""

    def __init__(
        self, pool: Pool, seals: RowSeals, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool, self._seals, self._clock = pool, seals, clock

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await forever("unended-sign-ins", self._round, _AGAIN_AFTER_S)

    async def sweep(self) -> int:
        """End some; how many."""
        async with transaction(self._pool) as connection:
            over = await account_sign_ins.lock_over(connection, _MOST)
            for row in over:
                await cancel(connection, self._seals, row, self._clock())
        return len(over)

    async def _round(self) -> None:
        await asyncio.sleep(EVERY_S)
        await self.sweep()
