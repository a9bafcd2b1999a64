"""A renewal that is killed with SIGKILL between every two of its steps (row F-11): nobody is signed out.

The provider rotates refresh tokens and takes the one before once more within its grace, as many do. A provider that
is strict signs the person out where the kill falls between its answer and the statement that stores it: its tokens
were in that process alone, and nothing that Archway could do brings them back.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.keys import new_key, parse_key_ring
from core.resolve import InstallationRefusal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider

ROOT = Path(__file__).resolve().parents[2]
MOST_STEPS = 60


class Killed:
    """The process that is killed again and again."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def at(self, step: int, version: int) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{step} {version}\n".encode())
        await self.process.stdin.drain()
        return await self.line()

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(120):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def renewing_process(dsn: str, key: str, installation_id: str) -> AsyncIterator[Killed]:
    command = [sys.executable, "-m", "tests.faults.renewing_process", dsn, key, installation_id]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    killed = Killed(process)
    try:
        assert await killed.line() == "ready"
        yield killed
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("grace_s", [pytest.param(600.0, id="F-11: killed between every two statements")])
async def test_a_renewal_that_is_killed_anywhere_signs_nobody_out(database: str, grace_s: float) -> None:
    key = new_key()
    ring = parse_key_ring("ARCHWAY_SECRET_KEY", key)
    async with RotatingProvider(grace_s=grace_s) as provider, Renewing(database, provider, ring) as rig:
        ann = await rig.signed_in("ann", ended=True)
        async with renewing_process(database, key, ann) as process:
            for step in range(MOST_STEPS):
                version = (await rig.account(ann)).version
                came = await process.at(step, version)
                assert came in {"killed", "ended"}
                if came == "ended":
                    break
                await after_its_lease(rig, ann)
                found = await rig.resolved(ann)
                assert not isinstance(found, InstallationRefusal), f"killed before step {step}: {found.sentence}"
                assert provider.is_signed_in("ann"), f"killed before step {step}"
                newest = rig.tokens(await rig.account(ann)).refresh_token
                assert newest == provider.families[0].newest, "what is stored is what the provider takes"
                await end_the_token(rig, ann)
            else:
                pytest.fail("it was killed more often than it has steps")
    assert step > 8, "hardly a step was seen"
    assert provider.reused == 0


async def after_its_lease(rig: Renewing, installation_id: str) -> None:
    """As if the time of a lease had passed, in which everybody else waits."""
    await rig.execute("update accounts set refresh_until = now() - interval '1 s' where refresh_until is not null")
    assert (await rig.account(installation_id)).refused_at is None


async def end_the_token(rig: Renewing, installation_id: str) -> None:
    await rig.execute(
        "update accounts set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour', "
        "refresh_until = null where installation_id = $1", installation_id,
    )  # fmt: skip
