"""PostgreSQL dead, frozen, failing over, losing backends: callers notice nothing, and control says so in time.

DESIGN 3: "Postgres | every warm and cached caller; new sign-ins fail | revocation: not possible to make". That no
aggregate is left half-written is in `test_writes_cut_off.py`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from control.store.migrate import migrate
from tests.emptied_databases import TEMPLATE
from tests.faults.load import all_served, calling
from tests.fixtures_postgres import Server, start_server, stop_server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOFT_AGE_S = 0.4
SIX_SOFT_AGES_S = 6 * SOFT_AGE_S
TOLD_WITHIN_S = 1.5
A_BUSY_MACHINE_S = 10.0
"""Added to what is promised, because other tests share the machine."""


class OwnPostgres:
    """A server of this file's own, on a port that stays, to be killed."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def kill(self) -> None:
        """The postmaster and everything below it, at once."""
        self.server.freeze()  # so that none sees another's end and acts on it
        for pid in _family(self.server.pid):
            os.kill(pid, signal.SIGKILL)
        assert self.server.guard.stdin is not None
        assert self.server.guard.stdout is not None
        self.server.guard.wait(10)
        self.server.guard.stdin.close()
        self.server.guard.stdout.close()

    async def start_again(self) -> None:
        (self.server.data / "postmaster.pid").unlink(missing_ok=True)
        self.server = await asyncio.to_thread(start_server, self.server.data.parent, self.server.port)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [*(int(child) for child in children.split()), pid]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnPostgres]:
    server = start_server(tmp_path_factory.mktemp("own-postgres"))
    await _sql(server.dsn(), f"create database {TEMPLATE}")
    await migrate(server.dsn(TEMPLATE))
    held = OwnPostgres(server)
    yield held
    stop_server(held.server)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(own: OwnPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, own.server, proxies=2, soft_age=SOFT_AGE_S) as running:
        yield running


@asynccontextmanager
async def broken(system: System, own: OwnPostgres, how: str) -> AsyncIterator[None]:
    """The fault, until the end of the block."""
    match how:
        case "dead":
            own.kill()
        case "frozen":
            own.server.freeze()
        case "failover":
            await _become_standby(system, own, standby=True)
    try:
        yield
    finally:
        match how:
            case "dead":
                await own.start_again()
            case "frozen":
                own.server.thaw()
            case "failover":
                await _become_standby(system, own, standby=False)


async def _become_standby(system: System, own: OwnPostgres, *, standby: bool) -> None:
    """What clients see of a failover: their connections end, and who answers then refuses writes until promoted."""
    name = system.dsn.rpartition("/")[2]
    await _sql(own.server.dsn(), f"alter database {name} set default_transaction_read_only = {str(standby).lower()}")
    await _end_backends(own.server, name)


async def _end_backends(server: Server, database: str) -> None:
    await _sql(server.dsn(), f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'")


async def _sql(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=60)
    try:
        await connection.execute(sql)
    finally:
        await connection.close(timeout=30)


@pytest.mark.parametrize("how", [pytest.param(how, id=f"F-4: {how}") for how in ("dead", "frozen", "failover")])
async def test_without_postgres_callers_go_on_and_writes_are_refused_in_time(
    system: System, own: OwnPostgres, how: str
) -> None:
    """ "Postgres | every warm and cached caller": no call of fifty callers fails for longer than five soft ages, a
    worker starts again, a gateway is used for the first time. A write is told so with 503, "an admin request learns
    within 1.5 s that the database is away", and works again after the return."""
    slug = f"late-{how}"
    _ = await system.add_gateway(slug)
    body = {"slug": f"new-{how}", "name": "New"}
    async with calling(system) as load:
        async with broken(system, own, how):
            await load.go_on(SOFT_AGE_S)
            began = time.monotonic()
            refused = await system.admin.post("/gateways", body)
            took = time.monotonic() - began
            listed = await system.ask("tools/list", token=system.people[0].token, gateway=slug)
            await system.proxies[1].kill()
            system.proxies[1].start()
            await load.go_on(SIX_SOFT_AGES_S)
            await system.proxies[1].ready(system.http)
            await all_served(system, proxy=1)

        async def is_writable() -> bool:
            return (await system.admin.post("/gateways", body)).status == 201

        await eventually(is_writable, 5 + A_BUSY_MACHINE_S, "control writes again")
    assert load.failed == Counter()
    assert (refused.status, refused.headers["Content-Type"]) == (503, "application/problem+json")
    assert refused.json["detail"] == "The database cannot be reached; try again in a moment."
    assert took < TOLD_WITHIN_S + A_BUSY_MACHINE_S
    assert listed.status == "ok"


@pytest.mark.parametrize("case", [pytest.param("", id="F-4: backend SIGKILL")])
async def test_killed_backends_cost_callers_nothing_and_control_recovers(
    system: System, own: OwnPostgres, case: str
) -> None:
    """A backend that dies by SIGKILL makes PostgreSQL end them all and recover: "every warm and cached caller"
    goes on, and the admin API answers with 503 or rightly, never with a 500, until it is back."""
    async with calling(system) as load:
        seen: Counter[int] = Counter()
        for _ in range(3):
            await _kill_a_backend(own.server, system.dsn)
            for _ in range(5):
                answer = await system.admin.post("/gateways", {"slug": f"g-{secrets.token_hex(6)}", "name": "G"})
                seen[answer.status] += 1

        async def is_writable() -> bool:
            answer = await system.admin.post("/gateways", {"slug": f"g-{secrets.token_hex(6)}", "name": "G"})
            return answer.status == 201

        await eventually(is_writable, 5 + A_BUSY_MACHINE_S, "control writes again")
        await load.go_on(SIX_SOFT_AGES_S)
    assert load.failed == Counter()
    assert set(seen) <= {201, 503}, seen


async def _kill_a_backend(server: Server, dsn: str) -> None:
    name = dsn.rpartition("/")[2]

    async def answers() -> bool:
        try:
            connection = await asyncpg.connect(server.dsn(), timeout=60)
        except (OSError, asyncpg.PostgresError):
            return False
        query = f"select pid from pg_stat_activity where datname = '{name}' and backend_type = 'client backend'"
        found = await connection.fetchval(query)
        await connection.close(timeout=30)
        if found is not None:
            os.kill(found, signal.SIGKILL)
        return found is not None

    await eventually(answers, 60, "a backend is found")
