"""Resolve calls about servers that Archway runs: where one answers, and what is said while it does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from control.changes import server_states
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.registry.row_seals import RowSeals
from control.registry.self_hosted import SelfHosted
from control.store import server_states as store
from control.store.pool import Pool, transaction
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal, ResolvedInstallation
from tests.control import seeded
from tests.control.asking_proxy import SECRETS, AskingProxy
from tests.fakes.registry import a_server_state

LONG_S = 10.0
"""As long as a proxy's question waits at most."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """A tool of a server that we run, on a gateway, and somebody who may call it."""

    installation_id: str
    digest: str
    gateway_id: str
    assignment_id: str

    def question(self, waits_s: float = 0.0) -> InstallationQuestion:
        return InstallationQuestion(self.digest, self.gateway_id, self.assignment_id, waits_s=waits_s)


@pytest.fixture
async def ours(pool: Pool) -> Seeded:
    run = msgspec.to_builtins(SelfHosted(command=("npx", "-y", "files@1.0.0")))
    del run["kind"]
    async with transaction(pool) as connection:
        entry = await seeded.entry(connection, "files", kind="self_hosted", url="", run=run)
        installation = await seeded.installation(connection, entry, bound_origin="", bound_url="")
        gateway = await seeded.gateway(connection)
        assignment = await seeded.assignment(connection, gateway, await seeded.tool(connection, entry))
        digest = await seeded.token(connection, user=await seeded.user(connection))
        sealed = RowSeals(SECRETS).bridge_token(installation, "b-token")
        await store.bridge_token(connection, installation, sealed)
    return Seeded(installation, digest, gateway, assignment)


async def report(pool: Pool, ours: Seeded, **changes: Any) -> None:
    async with changing(pool, SERVER) as write:
        assert await server_states.keep(write, a_server_state(installation_id=ours.installation_id, **changes))


async def asked(proxy: AskingProxy, question: InstallationQuestion) -> ResolvedInstallation | InstallationRefusal:
    answer = await proxy.ask("/internal/connection", question, InstallationAnswer)
    found = answer.installation or answer.refusal
    assert found is not None
    return found


async def somebody_waits(proxy: AskingProxy) -> None:
    async with asyncio.timeout(LONG_S):
        while not len(proxy.starting):  # noqa: ASYNC110 - it tells nobody, and need not
            await asyncio.sleep(0.005)


async def test_a_server_that_answers_is_reached_where_its_runtime_says(
    proxy: AskingProxy, pool: Pool, ours: Seeded
) -> None:
    await report(pool, ours)
    found = await asked(proxy, ours.question())
    assert isinstance(found, ResolvedInstallation)
    assert (found.kind, found.url) == ("process", "http://127.0.0.1:40001/mcp")
    assert (found.credential_headers, found.fixed_headers) == ([("authorization", "Bearer b-token")], [])


async def test_one_that_starts_is_told_as_such_and_that_the_caller_may_wait(proxy: AskingProxy, ours: Seeded) -> None:
    found = await asked(proxy, ours.question())
    assert isinstance(found, InstallationRefusal)
    assert (found.code, found.under_way, found.sentence) == (
        "server_starting", True, "Files is starting. Try again in 15 s.",
    )  # fmt: skip


async def test_who_waits_is_answered_when_it_is_ready(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    await report(pool, ours, phase="starting", endpoint="")
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(asked(proxy, ours.question(LONG_S)))
        await somebody_waits(proxy)
        await report(pool, ours)
    assert isinstance(waits.result(), ResolvedInstallation)


async def test_who_waits_is_told_why_it_does_not_start(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    await report(pool, ours, phase="starting", endpoint="")
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(asked(proxy, ours.question(LONG_S)))
        await somebody_waits(proxy)
        await report(pool, ours, phase="failed", cause="crashed", endpoint="")
    found = waits.result()
    assert isinstance(found, InstallationRefusal)
    assert (found.code, "Its program ends again and again." in found.sentence) == ("server_failed", True)


async def test_one_of_another_owner_is_told_to_nobody_else(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    await report(pool, ours, phase="failed", cause="crashed", endpoint="")
    stranger = InstallationQuestion("0" * 64, ours.gateway_id, ours.assignment_id, waits_s=LONG_S)
    found = await asked(proxy, stranger)
    assert isinstance(found, InstallationRefusal)
    assert found.code == "not_allowed"
