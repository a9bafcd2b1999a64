"""What it costs when many tokens of accounts end together: `python -m bench.account_renewals`.

So many callers, each with an account of their own at one provider, resolve their installation at the same moment over
two replicas of control, each of them in the place of two workers' questions; all tokens have just ended, so every
caller waits for a renewal. The provider rotates refresh tokens, ends everything at the first reuse, and answers after
a while, as one that is far away does. The whole runs in one process with a PostgreSQL of its own; a call that is
refused fails the run.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from control.store.migrate import migrate
from core.resolve import InstallationRefusal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider
from tests.fixtures_postgres import start_server, stop_server

CALLERS: Final = 500
EACH: Final = 2
"""Questions of one caller at the same time, one at each replica."""
AWAY_S: Final = 0.05
"""How far away the provider is."""


class FarProvider(RotatingProvider):
    """Answers after a while, as a provider at some distance."""

    async def _token(self, request):  # type: ignore[no-untyped-def]  # as in the class before
        await asyncio.sleep(AWAY_S)
        return await super()._token(request)


async def measured(rig: Renewing, provider: RotatingProvider, callers: int) -> list[float]:
    """How long each question waited, in seconds, sorted."""
    entry = await rig.entry()
    installations = [await rig.signed_in(f"p{number}", entry, ended=True) for number in range(callers)]
    replicas = [rig.renewals, await rig.replica()]
    rows = [await rig.rows(one) for one in installations]
    waits: list[float] = []

    async def call(number: int, replica: int) -> None:
        entry, installation, account = rows[number]
        began = time.perf_counter()
        found = await rig.usable(replicas[replica]).resolved(entry, installation, account)
        waits.append(time.perf_counter() - began)
        if isinstance(found, InstallationRefusal):
            raise SystemExit(f"a call was refused: {found.sentence}")

    await asyncio.gather(*(call(number, replica) for number in range(callers) for replica in range(EACH)))
    if (provider.granted, provider.reused) != (callers, 0):
        raise SystemExit(f"{provider.granted} renewals for {callers} tokens, {provider.reused} reused")
    return sorted(waits)


@contextlib.asynccontextmanager
async def rig_of(dsn: str) -> AsyncIterator[tuple[Renewing, RotatingProvider]]:
    """A database with our schema, a strict provider, a replica."""
    await migrate(dsn)
    async with FarProvider(grace_s=0) as provider, Renewing(dsn, provider, connections=8) as rig:
        yield rig, provider


async def run(dsn: str, callers: int) -> None:
    """Measure, and say it."""
    async with rig_of(dsn) as (rig, provider):
        waits = await measured(rig, provider, callers)
    p50, p99 = waits[len(waits) // 2] * 1_000, waits[int(len(waits) * 0.99)] * 1_000
    print(  # what it is for
        f"{callers} tokens that ended together, {EACH} questions each: {provider.granted} renewals, none failed; "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {waits[-1] * 1_000:.0f} ms; the provider answers after "
        f"{AWAY_S * 1_000:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(prog="python -m bench.account_renewals", description=__doc__)
    arguments.add_argument("--callers", type=int, default=CALLERS)
    callers = arguments.parse_args().callers
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # PostgreSQL runs as nobody
        Path(folder).chmod(0o755)
        server = start_server(Path(folder))
        try:
            asyncio.run(run(server.dsn(), callers))
        finally:
            stop_server(server)


if __name__ == "__main__":
    main()
