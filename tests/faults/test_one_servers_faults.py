"""One server's faults take nothing from others, and end with the next call: a hanging tool, a server that restarts.

Two workers behind one port, as in production; callers change their connections, so that each is served by both.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from archway.up.ports import free_port
from core.tasks import Tasks
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, Person, System, running_system
from tests.fixtures_upstreams import NODE, NPM, answering, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANGING, EACH = 16, 4
"""Callers of the hanging tool, and how many calls each makes at the same time."""
PLACES = 40
"""At a server, in each worker: fewer than the hanging calls would take."""
FEW = 12
"""Callers who call twice at the same time, in the load and beside it: less than one tool's share of the places of a
worker, if all of them come to the same one."""
CALL_S = 0.5
"""A call of the hanging tool ends so soon here: each caller sees more than five do so."""
SECONDS = 6.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(
        folder, postgres, supervised=2, people=HANGING + 4, calls_per_upstream=str(PLACES)
    ) as made:
        yield made


async def served(system: System, slug: str, url: str, **fields: Any) -> str:
    """An entry of this name, installed for all, whose tools a gateway of this name shows; the installation's id."""
    admin = system.admin
    described = {"slug": slug, "name": slug, "url": url, "credential_model": "none"}
    entry = await admin.made("/entries", described | fields)
    wanted = {"entry_id": entry["id"], "name": slug, "scope": "organisation"}
    installation = await admin.made("/installations", wanted)
    assert installation["state"] == "ready", installation
    gateway = await admin.made("/gateways", {"slug": slug, "name": slug})
    shown = {"entry": slug, "tools": ["*"], "prefix": False, "installation": installation["id"]}
    answer = await admin.post(f"/gateways/{gateway['id']}/assignments", shown)
    assert answer.status == 201, answer.body
    await eventually(lambda: system.is_published(gateway["id"], 3), 60, f"{slug} is published with its tools")
    return str(installation["id"])


Call = Callable[[], Awaitable[Outcome]]


async def repeat(calls: dict[str, Call], seconds: float) -> dict[str, Counter[str]]:
    """Each call again and again, all at the same time; how they ended, by their names."""
    ends: dict[str, Counter[str]] = {name: Counter() for name in calls}
    until = asyncio.get_running_loop().time() + seconds

    async def again(name: str, call: Call) -> None:
        while asyncio.get_running_loop().time() < until:
            outcome = await call()
            ends[name][outcome.status] += 1
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for name, call in calls.items():
            group.create_task(again(name, call))
    return ends


async def test_a_hanging_tool_takes_nothing_from_other_tools_and_other_callers(system: System) -> None:
    """Sixteen callers of it at the same time, who would have every place at the server."""
    await served(system, "tools", f"{system.upstream.url}/mcp/4", deadline_s=CALL_S)

    def calling(person: Person, tool: str, **arguments: Any) -> Call:
        params = {"name": tool, "arguments": {"text": "x", **arguments}}
        # Each on a connection of its own: now this worker takes it, now that one.
        return lambda: system.ask("tools/call", params, token=person.token, gateway="tools", close=True)

    hanging, others = system.people[:HANGING], system.people[HANGING:]
    for tool in ("echo", "echo_1", "echo_2", "echo_3"):
        assert (await calling(others[0], tool)()).status == "ok"

    calls = {f"hangs {number}": calling(one, "echo_1", wait=600) for number, one in enumerate(hanging * EACH)}
    calls |= {
        "another caller, another tool": calling(others[0], "echo"),
        "another caller, a third tool": calling(others[1], "echo_2"),
        "another caller, this tool": calling(others[2], "echo_1"),
        "a caller of the hanging tool, another tool": calling(hanging[0], "echo_3"),
    }
    ends = await repeat(calls, SECONDS)

    hung = sum((ends[name] for name in ends if name.startswith("hangs")), Counter())
    assert hung["upstream_slow"] > 2 * HANGING
    assert set(hung) <= {"upstream_slow", "upstream_resting", "busy"}, hung
    # Its own places are taken, so one more call of it may have to come again; it is not paused for another caller.
    assert set(ends.pop("another caller, this tool")) <= {"ok", "busy"}
    rest = {name: dict(ended) for name, ended in ends.items() if not name.startswith("hangs")}
    assert all(set(ended) == {"ok"} for ended in rest.values()), rest


@contextmanager
def everything(system: System, port: int, life: int) -> Iterator[str]:
    """The real server-everything, which answers 400 for a session that it does not know."""
    command = [str(NODE), str(NPM / ".bin" / "mcp-server-everything"), "streamableHttp"]
    log = system.folder / f"everything-{life}.log"
    with running(command, {"PORT": str(port)}, log) as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, log)


async def test_a_server_that_restarts_under_load_serves_each_callers_next_call(system: System) -> None:
    """It has lost every session, and says so in its own way; and discovery finds it ready."""
    port, tasks = free_port(), Tasks("callers")

    def calling(person: Person) -> Call:
        params = {"name": "echo", "arguments": {"message": person.id}}
        return lambda: system.ask("tools/call", params, token=person.token, gateway="everything", close=True)

    calls = {person.id: calling(person) for person in system.people[:FEW]}
    with everything(system, port, 1) as url:
        installation = await served(system, "everything", url)
        for _ in range(6):  # so that both workers know a session of everybody's
            assert {(await call()).status for call in calls.values()} == {"ok"}
        load = tasks.spawn("load", repeat(calls, SECONDS))
        await asyncio.sleep(1)
    with everything(system, port, 2):
        after = await asyncio.gather(*(call() for call in calls.values()))
        again = await asyncio.gather(*(call() for call in calls.values()))
        ends = await load
        discovered = await system.admin.post(f"/installations/{installation}/discover")

    assert Counter(one.status for one in (*after, *again)) == {"ok": 2 * len(calls)}, after
    for ended in ends.values():
        assert ended["ok"]
        assert set(ended) <= {"ok", "upstream_refused", "upstream_broken"}, ended
    assert discovered.json["state"] == "ready", discovered.body
