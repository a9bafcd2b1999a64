"""Forgets who called without an account here and has not for long, so that rows do not only become more.

Run by `control/replica.py` in every replica; rows that another one has are passed over. A bounded number each round.
"""

import asyncio
import logging
from typing import Final

from control.registry.external_principal import UNSEEN_DAYS
from control.store import external_principals
from control.store.pool import Pool, transaction
from core.tasks import forever

log = logging.getLogger(__name__)
EVERY_S: Final = 3_600.0
_AGAIN_AFTER_S: Final = 30.0
_MOST: Final = 10_000


async def keep_unseen_forgotten(pool: Pool) -> None:
    """Round after round, until cancelled."""
    await forever("unseen-externals", lambda: _round(pool), _AGAIN_AFTER_S)


async def forget_unseen(pool: Pool) -> int:
    """One round; how many are forgotten."""
    async with transaction(pool) as connection:
        return await external_principals.forget_unseen(connection, UNSEEN_DAYS, _MOST)


async def _round(pool: Pool) -> None:
    await asyncio.sleep(EVERY_S)
    gone = await forget_unseen(pool)
    if gone:
        log.info("forgot who has not called without an account for long", extra={"rows": gone})
