"""A replica of control that is killed at one step of publishing. Run by `test_publishing.py` as its own process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from control.publish.publisher import Publisher
from control.redis import Redis
from control.store.pool import open_pool
from core.keys import parse_key_ring
from core.signing import Signer


async def die(step: str) -> None:
    if step == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    pool = await open_pool(os.environ["DSN"])
    signer = Signer(parse_key_ring("KEY", os.environ["KEY"]))
    await Publisher(pool, Redis(os.environ["REDIS"], deadline_s=2), signer, after=die).publish()


if __name__ == "__main__":
    asyncio.run(main())
