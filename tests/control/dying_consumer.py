"""A record consumer that is killed between commit and acknowledgement. Run by `test_record_consumer.py`."""

from __future__ import annotations

import asyncio
import os
import signal

from control.records.consumer import RecordConsumer
from control.redis import Redis
from control.store.pool import open_pool
from core.keys import parse_key_ring


async def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    pool = await open_pool(os.environ["DSN"])
    ring = parse_key_ring("KEY", os.environ["KEY"])
    redis = Redis(os.environ["REDIS"], deadline_s=2)
    await RecordConsumer(pool, redis, ring, days_kept=30, committed=die).run()


if __name__ == "__main__":
    asyncio.run(main())
