"""A process that renews one account and is killed just before one of its steps, once for each step.

Run by `test_renewal_killed.py`: `python -m tests.faults.renewing_process DSN KEY INSTALLATION`. For each line on its
standard input, which is the number of a step and the account's version, it forks a child that renews the account and
kills itself with SIGKILL before that step; then it says `killed` or `ended`. A step is a statement to the database
(BEGIN and COMMIT among them), a question to the provider, or the moment after its answer has come.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import asyncpg

from control.accounts.renewals import Renewals
from control.providers.asking import Asker
from control.registry.row_seals import RowSeals
from control.store.pool import close_pool, open_pool
from core.egress.client import Egress
from core.keys import parse_key_ring
from tests.fakes.answering import LOOPBACK


class Steps:
    """Counts them; the process ends at the one that is named."""

    def __init__(self, last: int) -> None:
        self.last, self.done = last, 0

    def one(self) -> None:
        if self.done == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.done += 1

    def before(self, of: type[Any], name: str, *, after_too: bool = False) -> None:
        real = getattr(of, name)

        async def counted(*given: Any, **named: Any) -> Any:
            self.one()
            found = await real(*given, **named)
            if after_too:
                self.one()
            return found

        setattr(of, name, counted)


async def renew(dsn: str, key: str, installation_id: str, last: int, version: int) -> None:
    pool, ring = await open_pool(dsn, largest=2), parse_key_ring("ARCHWAY_SECRET_KEY", key)
    steps = Steps(last)
    for name in ("execute", "fetch", "fetchrow"):
        steps.before(asyncpg.Connection, name)
    steps.before(Asker, "ask", after_too=True)
    async with Egress(LOOPBACK) as egress:
        renewals = Renewals(pool, Asker(egress, LOOPBACK), RowSeals(ring))
        came = await renewals.run(installation_id, version, "")
        assert came.account is not None, came.refusal
        await renewals.close()
    await close_pool(pool)


def main() -> None:
    dsn, key, installation_id = sys.argv[1:]
    print("ready", flush=True)  # whoever started this reads it
    for line in sys.stdin:
        last, version = map(int, line.split())
        child = os.fork()
        if not child:
            asyncio.run(renew(dsn, key, installation_id, last, version))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        words = {0: "ended", signal.SIGKILL: "killed"}
        print(words.get(status, f"failed {status}"), flush=True)  # the same


if __name__ == "__main__":
    main()
