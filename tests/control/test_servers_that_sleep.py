"""Resolve calls about servers that are asleep: who wakes one, who waits for it, and who does not."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from control.changes import idle_servers
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.registry.row_seals import RowSeals
from control.registry.self_hosted import SelfHosted
from control.store import idle_servers as idle_rows
from control.store import server_states as store
from control.store.pool import Pool, transaction
from core.resolve import InstallationQuestion, InstallationRefusal, ResolvedInstallation
from core.watches import WatchAnswer, WatchQuestion
from tests.control import seeded
from tests.control.asking_proxy import SECRETS, AskingProxy
from tests.control.test_calls_of_servers_we_run import LONG_S, Seeded, asked, report, somebody_waits

ELSEWHERE = "0193a1b2-c3d4-7e5f-8a6b-112233445566"


@pytest.fixture
async def ours(pool: Pool) -> Seeded:
    """A tool of a server that is asleep."""
    run = msgspec.to_builtins(SelfHosted(command=("npx", "-y", "files@1.0.0"), idle_minutes=5))
    del run["kind"]
    async with transaction(pool) as connection:
        entry = await seeded.entry(connection, "files", kind="self_hosted", url="", run=run)
        installation = await seeded.installation(connection, entry, bound_origin="", bound_url="")
        gateway = await seeded.gateway(connection)
        assignment = await seeded.assignment(connection, gateway, await seeded.tool(connection, entry))
        digest = await seeded.token(connection, user=await seeded.user(connection))
        sealed = RowSeals(SECRETS).bridge_token(installation, "b-token")
        await store.bridge_token(connection, installation, sealed)
        await connection.execute("update entries set discovery_installation_id = $1", installation)
    there = Seeded(installation, digest, gateway, assignment)
    await report(pool, there)
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into idle_servers (installation_id, asleep_since) values ($1, now())", installation
        )
        assert await idle_rows.falls_asleep(connection, installation)
    return there


async def wakes(pool: Pool) -> tuple[bool, int]:
    async with transaction(pool, readonly=True) as connection:
        row = await connection.fetchrow("select asleep_since is null as awake, wakes from idle_servers")
    return row["awake"], row["wakes"]


async def test_a_call_wakes_it_and_is_answered_when_it_is_ready(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(asked(proxy, ours.question(LONG_S)))
        await somebody_waits(proxy)
        assert await wakes(pool) == (True, 1)
        await report(pool, ours, endpoint="http://127.0.0.1:40002/mcp")
    found = waits.result()
    assert isinstance(found, ResolvedInstallation)
    assert found.url == "http://127.0.0.1:40002/mcp"


async def test_who_does_not_wait_for_it_is_told_that_it_is_being_started(proxy: AskingProxy, ours: Seeded) -> None:
    found = await asked(proxy, ours.question())
    assert isinstance(found, InstallationRefusal)
    assert (found.code, found.under_way, found.sentence) == (
        "server_starting", True,
        "Files is being started: it was ended, since nobody had called it for a while. Try again in 10 s.",
    )  # fmt: skip


async def test_twenty_calls_at_once_are_one_wake(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(asked(proxy, ours.question(LONG_S))) for _ in range(20)]
        async with asyncio.timeout(LONG_S):
            while len(proxy.starting) < 20:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
        await report(pool, ours)
    assert all(isinstance(one.result(), ResolvedInstallation) for one in waits)
    assert await wakes(pool) == (True, 1)


async def test_a_call_of_one_that_dozes_is_answered_at_once(proxy: AskingProxy, pool: Pool, ours: Seeded) -> None:
    async with transaction(pool) as connection:
        await connection.execute("update idle_servers set asleep_since = null, dozes_since = now()")
    await report(pool, ours)
    assert isinstance(await asked(proxy, ours.question()), ResolvedInstallation)
    async with changing(pool, SERVER) as write:
        assert not await idle_servers.fall_asleep(write, ours.installation_id)
    assert await wakes(pool) == (True, 0)


@pytest.mark.parametrize("stranger", [{"digest": "0" * 64}, {"assignment_id": ELSEWHERE}], ids=["caller", "tool"])
async def test_who_may_not_call_it_wakes_nobody(
    proxy: AskingProxy, pool: Pool, ours: Seeded, stranger: dict[str, Any]
) -> None:
    question: InstallationQuestion = msgspec.structs.replace(ours.question(), **stranger)
    assert isinstance(await asked(proxy, question), InstallationRefusal)
    assert await wakes(pool) == (False, 0)


async def test_nobody_listens_to_one_that_is_asleep_and_that_wakes_nobody(
    proxy: AskingProxy, pool: Pool, ours: Seeded
) -> None:
    question = WatchQuestion("one", {}, 10)
    given = await proxy.ask("/internal/watches", question, WatchAnswer)
    assert (given.installations, await wakes(pool)) == ([], (False, 0))
    async with changing(pool, SERVER) as write:
        await idle_servers.use(write, ours.installation_id)
    await report(pool, ours)
    given = await proxy.ask("/internal/watches", question, WatchAnswer)
    assert [one.installation_id for one in given.installations] == [ours.installation_id]
