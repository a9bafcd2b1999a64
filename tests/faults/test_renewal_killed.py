"""A renewal that is killed with SIGKILL between every two of its steps (row F-11).

The provider rotates refresh tokens. One that takes the token before once more within its grace, as many do, signs
nobody out. A strict one signs the person out where the kill falls between its answer and the statement that stores
it: its tokens were in that process alone, and nothing that Archway could do brings them back. Then the person is told
so, nobody asks the provider again, and the next sign-in mends it; at every other step nobody notices anything.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from control.accounts import one_renewal
from control.store import renewals
from control.store.pool import transaction
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
    async with (
        RotatingProvider(grace_s=grace_s) as provider,
        killed_at_each_step(database, provider) as (rig, ann, kills),
    ):
        async for step in kills:
            found = await rig.resolved(ann)
            assert not isinstance(found, InstallationRefusal), f"killed before step {step}: {found.sentence}"
            assert provider.is_signed_in("ann"), f"killed before step {step}"
            newest = rig.tokens(await rig.account(ann)).refresh_token
            assert newest == provider.families[0].newest, "what is stored is what the provider takes"
            await end_the_token(rig, ann)
    assert provider.reused == 0


@pytest.mark.parametrize(
    "grace_s", [pytest.param(0.0, id="F-11: killed between every two statements, strict provider")]
)
async def test_at_a_strict_provider_whoever_lost_its_answer_signs_in_again_and_nobody_else(
    database: str, grace_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_renewal, "AGAIN_AFTER_S", 0.01)
    lost: list[int] = []
    async with (
        RotatingProvider(grace_s=grace_s) as provider,
        killed_at_each_step(database, provider) as (rig, ann, kills),
    ):
        async for step in kills:
            stored = rig.tokens(await rig.account(ann)).refresh_token
            if stored == provider.families[-1].newest:
                found = await rig.resolved(ann)
                assert not isinstance(found, InstallationRefusal), f"killed before step {step}: {found.sentence}"
                assert provider.is_signed_in("ann"), f"killed before step {step}"
            else:
                lost.append(step)
                await says_that_a_person_must_sign_in(rig, ann)
                await rig.sign_in_again(ann, "ann")
                assert not isinstance(await rig.resolved(ann), InstallationRefusal), "a sign-in mends it"
            await end_the_token(rig, ann)
    assert lost == list(range(lost[0], lost[-1] + 1)), "one stretch: from the answer to the statement that stores it"
    assert 1 < len(lost) < 8
    assert provider.reused == len(lost)


async def says_that_a_person_must_sign_in(rig: Renewing, installation_id: str) -> None:
    """With the right cause, at once and later, and the provider is left alone from then on."""
    for _ in range(3):
        refusal = await rig.refusal(installation_id)
        assert refusal.code == "needs_sign_in"
        assert "was signed out by its provider" in refusal.sentence
    asked = len(rig.provider.forms)
    _, installation, account = await rig.rows(installation_id)
    assert account is not None
    assert (account.refused_at is not None, installation.state) == (True, "needs_sign_in")
    assert "was signed out by its provider" in installation.state_reason
    await rig.renewals.run(installation_id, account.version, "")
    await rig.execute("update accounts set refresh_at = now() - interval '1 s', used_at = now()")
    async with transaction(rig.pool, readonly=True) as connection:
        due = await renewals.due(
            connection, used_within=timedelta(days=1), idle_after=timedelta(days=1), but_for=(), of_each=9, most=9
        )
    assert (due, len(rig.provider.forms)) == ({}, asked), "it goes on asking"


@asynccontextmanager
async def killed_at_each_step(
    database: str, provider: RotatingProvider
) -> AsyncIterator[tuple[Renewing, str, AsyncIterator[int]]]:
    """An account, and the steps before which its renewal is killed; after each its token must be ended again."""
    key = new_key()
    ring = parse_key_ring("ARCHWAY_SECRET_KEY", key)
    async with Renewing(database, provider, ring) as rig:
        ann = await rig.signed_in("ann", ended=True)
        async with renewing_process(database, key, ann) as process:
            yield rig, ann, each_step(rig, ann, process)


async def each_step(rig: Renewing, installation_id: str, process: Killed) -> AsyncIterator[int]:
    for step in range(MOST_STEPS):
        version = (await rig.account(installation_id)).version
        came = await process.at(step, version)
        assert came in {"killed", "ended"}
        if came == "ended":
            assert step > 8, "hardly a step was seen"
            return
        await after_its_lease(rig, installation_id)
        yield step
    pytest.fail("it was killed more often than it has steps")


async def after_its_lease(rig: Renewing, installation_id: str) -> None:
    """As if the time of a lease had passed, in which everybody else waits."""
    await rig.execute("update accounts set refresh_until = now() - interval '1 s' where refresh_until is not null")
    assert (await rig.account(installation_id)).refused_at is None


async def end_the_token(rig: Renewing, installation_id: str) -> None:
    await rig.execute(
        "update accounts set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour', "
        "refresh_until = null where installation_id = $1", installation_id,
    )  # fmt: skip
