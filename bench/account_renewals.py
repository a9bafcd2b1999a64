"""What callers feel when many tokens of accounts end together: `python -m bench.account_renewals`.

So many callers, each with an account of their own at one provider, resolve their installation again and again over
two replicas of control, from before their tokens end until after, as proxies do beside the calls. All tokens end at
the same moment. The provider rotates refresh tokens, ends everything at the first reuse, and answers after a while,
as one that is far away does. The whole runs in one process with a PostgreSQL of its own. A call that is refused, or a
token that is renewed twice, fails the run.
"""

import argparse
import asyncio
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from control.accounts.refresher import Refresher
from control.accounts.times import next_refresh
from control.store.migrate import migrate
from core.resolve import InstallationRefusal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider
from tests.fixtures_postgres import start_server, stop_server

CALLERS: Final = 500
LIFE_S: Final = 60.0
"""Of the tokens that end together, from when the callers begin."""
EACH_S: Final = 10.0
"""Between two questions of one caller."""
AWAY_S: Final = 0.05
"""How far away the provider is."""


class FarProvider(RotatingProvider):
    """Answers after a while, as a provider at some distance."""

    async def _token(self, request: Any) -> Any:
        await asyncio.sleep(AWAY_S)
        return await super()._token(request)


async def measured(rig: Renewing, callers: int) -> list[float]:
    """How long each question waited, in seconds, sorted. Raises SystemExit for a call that was refused."""
    entry, ends = await rig.entry(), datetime.now(UTC) + timedelta(days=1)
    installations = [await rig.signed_in(f"p{number}", entry, expires_at=ends) for number in range(callers)]
    began, now = time.perf_counter(), datetime.now(UTC)
    ends = now + timedelta(seconds=LIFE_S)
    for number, one in enumerate(installations):
        await rig.execute(
            "update accounts set expires_at = $2, refresh_at = $3, used_at = now() where installation_id = $1",
            one, ends, next_refresh(ends, now, number / callers),
        )  # fmt: skip
    replicas = [rig.renewals, await rig.replica()]
    refreshers = [Refresher(rig.pool, one) for one in replicas]
    waits: list[float] = []

    async def call_again_and_again(number: int) -> None:
        await asyncio.sleep(EACH_S * number / callers)
        while time.perf_counter() - began < LIFE_S + EACH_S:
            asked = time.perf_counter()
            found = await rig.resolved(installations[number], replicas[number % 2])
            waits.append(time.perf_counter() - asked)
            if isinstance(found, InstallationRefusal):
                raise SystemExit(f"a call was refused: {found.sentence}")
            await asyncio.sleep(EACH_S)

    async def refresh() -> None:
        while time.perf_counter() - began < LIFE_S:
            await asyncio.gather(*(one.round() for one in refreshers))
            await asyncio.sleep(5)

    await asyncio.gather(refresh(), *(call_again_and_again(number) for number in range(callers)))
    for refresher in refreshers:
        await refresher.close()
    return sorted(waits)


async def run(dsn: str, callers: int) -> None:
    """Measure, and say it."""
    await migrate(dsn)
    async with FarProvider(grace_s=0) as provider, Renewing(dsn, provider, connections=8) as rig:
        waits = await measured(rig, callers)
        if (provider.granted, provider.reused) != (callers, 0):
            raise SystemExit(f"{provider.granted} renewals for {callers} tokens, {provider.reused} reused")
    p50, p99 = waits[len(waits) // 2] * 1_000, waits[int(len(waits) * 0.99)] * 1_000
    print(
        f"{callers} tokens that ended together: {callers} renewals; {len(waits)} questions, none refused; "
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
