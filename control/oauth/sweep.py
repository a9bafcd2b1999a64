"""Forgets what the authorization server need not keep: clients that nobody used, codes and requests that are over.

Run by `control/replica.py` in every replica; rows that another one has are passed over. A bounded number each round.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from control.store import oauth_clients, oauth_grants
from control.store.pool import Pool, transaction
from core.tasks import forever

log = logging.getLogger(__name__)
UNUSED_FOR: Final = timedelta(hours=24)
EVERY_S: Final = 600.0
_AGAIN_AFTER_S: Final = 5.0
_MOST: Final = 10_000


async def sweep(pool: Pool) -> int:
    """One round; how many rows are gone."""
    async with transaction(pool) as connection:
        gone = await oauth_clients.forget_unused(connection, UNUSED_FOR, _MOST)
    async with transaction(pool) as connection:
        gone += await oauth_grants.forget_old(connection, _MOST)
    return gone


async def keep_swept(pool: Pool) -> None:
    """Round after round, until cancelled."""
    await forever("oauth-sweep", lambda: _round(pool), _AGAIN_AFTER_S)


async def _round(pool: Pool) -> None:
    await asyncio.sleep(EVERY_S)
    gone = await sweep(pool)
    if gone:
        log.info("forgot what the authorization server need not keep", extra={"rows": gone})
