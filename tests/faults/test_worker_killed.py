"""A worker of a supervised proxy is killed under load.

DESIGN 2: "A supervisor binds the port once and gives the listening socket to its workers; it stays open while workers
come and go ... It restarts a dead worker within 2 s". What is not here: locks in Redis (there are none yet).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator

import aiohttp
import orjson
import psutil
import pytest
import pytest_asyncio

from core.tasks import Tasks
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, Person, System, modern_request, new_session, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS = 50
KILLS = 4
STEADY_S = 5.0
"""A worker that dies younger died at once; where all do, the supervisor takes its time, which is not tested here."""
A_BUSY_MACHINE_S = 15.0
"""Added to the two seconds that are promised, because other tests share the machine."""
RECONNECTS = 0.1
"""How many calls are the last on their connection; else all would stay with the worker that outlived a kill."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, supervised=2, people=4) as running:
        yield running


def workers(system: System) -> list[int]:
    """The pids that the supervisor tells of."""
    told = orjson.loads((system.folder / "proxy-0.ports").read_bytes())
    return [pid for pid, _ in told["workers"]]


def ports_of_callers(pid: int, listening: int) -> set[int]:
    """The far ends of a worker's connections on its public port."""
    held = psutil.Process(pid).net_connections("tcp4")
    return {one.raddr.port for one in held if one.raddr and one.laddr.port == listening}


class Caller:
    """One client with one connection at a time, kept alive; it notes which port it called from."""

    def __init__(self, system: System, person: Person) -> None:
        self._system, self._person = system, person
        self.session = new_session()
        self.outcomes: list[Outcome] = []
        self.port = 0
        self.lost_from: list[int] = []
        """The ports of calls that failed since the last kill."""
        self.stopping = False

    async def go_on(self) -> None:
        async with self.session:
            self.session.connector.connect = self._noting(self.session.connector.connect)  # type: ignore[union-attr, method-assign]
            while not self.stopping:
                close = random.random() < RECONNECTS
                outcome = await self._system.call(self._person, session=self.session, close=close)
                self.outcomes.append(outcome)
                if outcome.status != "ok":
                    self.lost_from.append(self.port)
                await asyncio.sleep(random.uniform(0.02, 0.1))

    def _noting(self, connect):  # type: ignore[no-untyped-def]  # wraps what aiohttp has no hook for
        async def connect_and_note(*given, **named):  # type: ignore[no-untyped-def]
            connection = await connect(*given, **named)
            self.port = connection.transport.get_extra_info("sockname")[1]
            return connection

        return connect_and_note


@pytest.mark.parametrize(
    "how", [pytest.param("idle", id="F-9: worker SIGKILL"), pytest.param("laden", id="F-9: OOM kill")]
)
async def test_a_killed_worker_is_replaced_and_the_other_serves_on(system: System, how: str) -> None:
    """ "It restarts a dead worker within 2 s", killed time after time at random points under load. Callers of the
    other worker see nothing; those of the dead one lose the call that was on its way, once, and are never refused a
    connection. `laden`: it holds bodies of megabytes then, as one that the kernel's OOM killer picks."""
    callers = [Caller(system, system.people[number % len(system.people)]) for number in range(CALLERS)]
    tasks = Tasks("callers")
    running = [tasks.spawn("caller", caller.go_on()) for caller in callers]
    served_on = 0
    other = min(workers(system), key=born)
    await eventually(lambda: is_steady(other), 60, "a worker is steady")
    for _ in range(KILLS):
        ballast = [tasks.spawn("ballast", send_much(system)) for _ in range(12 if how == "laden" else 0)]
        await eventually(lambda: both_serve(system, callers), 60, "both workers have callers")
        await asyncio.sleep(random.uniform(0.0, 0.3))
        victim = next(pid for pid in workers(system) if pid != other)
        before = {caller: len(caller.outcomes) for caller in callers}
        for caller in callers:
            caller.lost_from.clear()  # the kernel gives the same ports again
        spared = ports_of_callers(other, system.proxies[0].port)
        served_on += sum(caller.port in spared for caller in callers)
        os.kill(victim, signal.SIGKILL)
        await eventually(
            lambda victim=victim: complete(system, victim), 2.0 + A_BUSY_MACHINE_S, "a new worker was started"
        )
        await eventually(lambda before=before: all_answered(before), 60, "every caller is answered again")
        for caller in callers:
            failed = [one for one in caller.outcomes[before[caller] :] if one.status != "ok"]
            assert len(failed) <= 1, failed
            assert spared.isdisjoint(caller.lost_from), "a call was lost on a connection to the other worker"
            assert all((one.status, one.sentence) in LOST for one in failed), failed
        await asyncio.gather(*ballast)
    for caller in callers:
        caller.stopping = True
    await asyncio.gather(*running)
    assert served_on, "no caller was ever with the other worker, and this proves nothing"
    outcomes = [one for caller in callers for one in caller.outcomes]
    assert sum(one.status == "ok" for one in outcomes) > CALLERS * KILLS


LOST = {("lost", "ServerDisconnectedError"), ("lost", "ClientOSError")}
"""The connection ended under the call; not among them: a connection that was refused."""


def born(pid: int) -> float:
    return psutil.Process(pid).create_time()


async def is_steady(pid: int) -> bool:
    return time.time() - born(pid) > STEADY_S


async def complete(system: System, gone: int) -> bool:
    now = workers(system)
    return gone not in now and len(now) == 2


async def both_serve(system: System, callers: list[Caller]) -> bool:
    ports = {caller.port for caller in callers}
    now = workers(system)
    return len(now) == 2 and all(len(ports & ports_of_callers(pid, system.proxies[0].port)) > 4 for pid in now)


async def all_answered(before: dict[Caller, int]) -> bool:
    """Everybody has had two good answers since."""
    return all(sum(one.status == "ok" for one in caller.outcomes[since:]) >= 2 for caller, since in before.items())


async def send_much(system: System) -> None:
    """A body of 3 MiB, in pieces that keep it in the worker's memory for a while; what becomes of it is no matter."""
    text = {"name": "echo", "arguments": {"text": "x" * (3 << 20)}}
    body, headers = modern_request("tools/call", text, system.people[0].token)
    headers["Content-Length"] = str(len(body))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 18):
            yield body[start : start + (1 << 18)]
            await asyncio.sleep(0.05)

    url = f"{system.proxies[0].url}/v1/mcp/desk"
    async with new_session() as session:
        try:
            async with session.post(
                url, data=pieces(), headers={**headers, "Content-Length": str(len(body))}
            ) as answer:
                _ = await answer.read()
        except aiohttp.ClientError:
            return
