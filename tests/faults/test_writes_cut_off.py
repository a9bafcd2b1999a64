"""Every write of an aggregate, cut off before each of its statements: all of it is there afterwards, or nothing.

DESIGN 1: "A gateway's revision rises in the writing transaction. An outbox in that transaction says what changed",
and 4: "an audit record in the same transaction as each write". So an entry, an installation, a gateway or a handful
of assignments never stands without its audit record, its teams or its place in the next snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.cutting_proxy import CuttingProxy
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_STATEMENTS = 80

# What must not exist, whatever was cut off. Assignments are made three at a time.
HALVES = {
    **{
        f"{kind} without its audit record, or the reverse": f"""
            select x.id::text from {table} x where not exists (select from audit a
                where a.object_kind = '{kind}' and a.object_id = x.id::text and a.action = 'create')
            union all
            select a.object_id from audit a where a.object_kind = '{kind}' and a.action = 'create'
                and not exists (select from {table} x where x.id::text = a.object_id)"""
        for kind, table in (
            ("entry", "entries"), ("installation", "installations"), ("gateway", "gateways"),
            ("assignment", "assignments"),
        )
    },
    "entry without its teams": """
        select id from entries e where visibility = 'teams'
            and not exists (select from entry_teams t where t.entry_id = e.id)""",
    "gateway without its teams": """
        select id from gateways g where visibility = 'teams'
            and not exists (select from gateway_teams t where t.gateway_id = g.id)""",
    "some of the assignments": """
        select gateway_id from assignments group by gateway_id having count(*) not in (1, 3)""",
    "installation that is ready without its server's facts, or the reverse": """
        select id from installations where (state = 'ready') <> (server <> '{}'::jsonb)""",
    "gateway with tools at its first revision": """
        select g.id from gateways g where g.revision = 1 and exists (
            select from assignments a where a.gateway_id = g.id)""",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cut(postgres: Server) -> AsyncIterator[CuttingProxy]:
    async with CuttingProxy(postgres.port) as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(
    postgres: Server, cut: CuttingProxy, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, people=1, postgres_port=cut.port) as running:
        yield running


async def halves(system: System) -> dict[str, list[str]]:
    connection = await asyncpg.connect(system.dsn, timeout=60)
    try:
        found = {name: [str(row[0]) for row in await connection.fetch(sql)] for name, sql in HALVES.items()}
    finally:
        await connection.close(timeout=30)
    return {name: ids for name, ids in found.items() if ids}


@pytest.mark.parametrize("answered", [False, True], ids=["never sent", "answer lost"])
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, id=f"F-4: half-written {what}")
        for what in ("entry", "installation", "gateway", "assignments")
    ],
)
async def test_a_write_that_is_cut_off_leaves_all_or_nothing(
    system: System, cut: CuttingProxy, what: str, answered: bool
) -> None:
    """ "in that transaction": cut before its first statement, its second, and so on to the end; once with the
    statement never sent, once with only its answer lost, COMMIT among them."""
    seen: list[int] = []
    for steps in range(MOST_STATEMENTS):
        name = f"{what}-{steps}-{'b' if answered else 'a'}"
        path, body, marker = await write(system, what, name)
        cut.arm(marker, steps, answered=answered)
        status = (await system.admin.post(path, body)).status
        cut.disarm()
        if not cut.fired:
            assert status == 201
            break
        seen.append(status)
        assert await halves(system) == {}, f"cut at {steps}, answered {status}"
    assert len(seen) >= 4, "hardly a statement was cut: the marker is not in the transaction"
    assert set(seen) <= {201, 503}, seen
    answer = await system.admin.post(*(await write(system, what, f"{what}-after-{answered}"))[:2])
    assert answer.status == 201, "control did not recover"


async def write(system: System, what: str, name: str) -> tuple[str, dict[str, object], str]:
    """Path and body of one write, and the text that its transaction begins to write with."""
    name = name.lower().replace("true", "b").replace("false", "a")
    if what == "entry":
        team = await team_of(system)
        return "/entries", {**entry(system, name), "visibility": "teams", "teams": [team]}, name
    if what == "gateway":
        team = await team_of(system)
        return "/gateways", {"slug": name, "name": name, "visibility": "teams", "teams": [team]}, name
    if what == "installation":
        made = await system.admin.made("/entries", entry(system, name))
        return "/installations", {"entry_id": made["id"], "name": name, "scope": "organisation"}, made["id"]
    gateway = await system.admin.made("/gateways", {"slug": name, "name": name})
    body = {"entry": await three_tools(system), "tools": ["*"]}
    return f"/gateways/{gateway['id']}/assignments", body, gateway["id"]


def entry(system: System, slug: str) -> dict[str, object]:
    return {"slug": slug, "name": slug, "url": system.upstream.url + "/mcp", "credential_model": "none"}


async def team_of(system: System) -> str:
    teams = await system.admin.items("/teams")
    return str((teams[0] if teams else await system.admin.made("/teams", {"name": "Red"}))["id"])


async def three_tools(system: System) -> str:
    """An entry with three tools; two were discovered by nobody, but stand in its rows as if they had been."""
    found = [one["slug"] for one in await system.admin.items("/entries?text=three-tools")]
    if not found:
        made = await system.admin.made("/entries", entry(system, "three-tools"))
        _ = await system.admin.made("/installations", {"entry_id": made["id"], "scope": "organisation"})
        connection = await asyncpg.connect(system.dsn, timeout=60)
        for number in (2, 3):
            await connection.execute(
                "insert into entry_tools (id, entry_id, kind, upstream_name, name, definition, definition_sha256) "
                "select gen_random_uuid(), entry_id, kind, $2, $2, definition, definition_sha256 from entry_tools "
                "where entry_id = $1 and name = 'echo'",
                made["id"], f"echo-{number}",
            )  # fmt: skip
        await connection.close(timeout=30)
    return "three-tools"


async def test_what_was_committed_under_a_cut_is_published_all_the_same(system: System, cut: CuttingProxy) -> None:
    """ "publishers claim rows ..., deleted when published": an answer lost on COMMIT loses no news. The caller of the
    API was told 503; the proxy shows the tools as soon as the rows are there."""
    gateway = await system.admin.made("/gateways", {"slug": "committed", "name": "committed"})
    await eventually(lambda: system.is_published(gateway["id"], 1), 60, "nothing of it is left to publish")
    body = {"entry": await three_tools(system), "tools": ["*"]}
    cut.arm_commit(gateway["id"])
    answer = await system.admin.post(f"/gateways/{gateway['id']}/assignments", body)
    cut.disarm()
    assert (cut.fired, answer.status) == (True, 503)

    async def is_shown() -> bool:
        listed = await system.ask("tools/list", token=system.people[0].token, gateway="committed")
        return listed.status == "ok" and len(listed.result["tools"]) == 3

    await eventually(is_shown, 60, "the proxy shows all three")
