"""Keeps the days: partitions made ahead, and whole days dropped when they are old enough.

Run by `control/replica.py` in every replica; they take turns by a lock, and each finds the other's work done.
"""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Final

from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.store.records import drop_partitions, make_partitions

log = logging.getLogger(__name__)

_AHEAD_DAYS: Final = 3
_EVERY_S: Final = 3_600.0
_AGAIN_AFTER_S: Final = 30.0


async def keep_partitions(pool: Pool, days_kept: int) -> None:
    """Look each hour, until cancelled."""
    while True:
        try:
            await keep_days(pool, datetime.now(UTC).date(), days_kept)
            await asyncio.sleep(_EVERY_S)
        except (StoreUnavailable, StoreConflict) as fault:
            log.info("partitions of records wait", extra={"fault": str(fault)})
            await asyncio.sleep(_AGAIN_AFTER_S)
        except Exception:
            # A keeper that ended would keep every day from then on, until the disk is full.
            log.exception("partitions of records cannot be kept")
            await asyncio.sleep(_AGAIN_AFTER_S)


async def keep_days(pool: Pool, today: date, days_kept: int) -> None:
    """Today and the days ahead have partitions; days before the last `days_kept` have none."""
    async with transaction(pool) as connection:
        await make_partitions(connection, [today + timedelta(days=ahead) for ahead in range(_AHEAD_DAYS + 1)])
    async with transaction(pool) as connection:
        dropped = await drop_partitions(connection, days_begin(today, days_kept))
    if dropped:
        log.info("old records dropped", extra={"days": ", ".join(day.isoformat() for day in dropped)})


def days_begin(today: date, days_kept: int) -> datetime:
    """The first moment (UTC) of the days that are kept. What is told of batches before it is not complete."""
    first = today - timedelta(days=days_kept - 1)
    return datetime(first.year, first.month, first.day, tzinfo=UTC)
