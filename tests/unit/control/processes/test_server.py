import asyncio
import os
import signal
import socket
import sys

import pytest

from control.processes.server import RunningServer, free_port
from core.children.program import Program
from tests.control.obedient_server import OBEDIENT, told, wanted


class States:
    """Those that were told, and those to come."""

    def __init__(self):
        self.told = []
        self._new = asyncio.Event()

    async def __call__(self, state):
        self.told.append(state)
        self._new.set()

    async def until(self, true):
        async with asyncio.timeout(60):
            while not (self.told and true(self.told[-1])):
                self._new.clear()
                await self._new.wait()
        return self.told[-1]


@pytest.fixture
def states():
    return States()


@pytest.fixture
async def run(tmp_path, states):
    """Starts a server whose program is Python with this code."""
    running = []

    def begin(code=OBEDIENT, tell=states, **other):
        def program(what, port, ready):
            return Program(
                name="one", title="one", command=(sys.executable, "-c", code), environment={"PORT": str(port)},
                log=tmp_path / "one.log", record=tmp_path / "one.json", ready=ready, tries=1, grace_s=2.0,
                log_of_each_run=True,
            )  # fmt: skip

        server = RunningServer(wanted(**other), "user", program, tell)
        server.start()
        running.append(server)
        return server

    yield begin
    for server in running:
        await server.stop()


async def test_it_is_told_that_it_starts_then_that_it_is_ready_and_where(run, states):
    run(path="/obey")
    state = await states.until(lambda state: state.phase == "ready")
    assert [one.phase for one in states.told] == ["starting", "ready"]
    assert (states.told[0].endpoint, state.endpoint.endswith("/obey")) == ("", True)
    assert (state.place, state.isolation, state.restarts) == ("process", "user", 0)


async def test_one_that_is_killed_comes_back_and_that_is_counted(run, states):
    run()
    at = (await states.until(lambda state: state.phase == "ready")).endpoint
    pid = int(await asyncio.to_thread(told, at, "import os; said = os.getpid()"))
    os.kill(pid, signal.SIGKILL)
    state = await states.until(lambda state: state.phase == "ready" and state.restarts == 1)
    assert int(await asyncio.to_thread(told, state.endpoint, "import os; said = os.getpid()")) != pid


async def test_one_that_ends_at_once_is_failed_with_its_last_words_and_no_endpoint(run, states):
    said = "import sys; sys.exit('no key: hush-hush, nor whispered')"
    server = run(said, secret_environment={"KEY": "hush-hush"}, files={"key.pem": "whispered"})
    state = await states.until(lambda state: state.phase == "failed")
    assert (state.cause, state.message, state.endpoint) == ("crashed", "no key: [redacted], nor [redacted]", "")
    await server.stop()


async def test_a_program_that_is_not_there_has_its_own_cause(run, states):
    run("import sys; sys.exit('no such program: npx: No such file or directory')")
    assert (await states.until(lambda state: state.phase == "failed")).cause == "no_such_program"


async def test_a_state_that_was_not_taken_is_told_again(run, states):
    tries = []

    async def tell(state):
        tries.append(state)
        if len(tries) < 3:
            raise ConnectionError("the database is away")
        await states(state)

    run(tell=tell)
    await states.until(lambda state: state.phase == "ready")


async def test_the_same_state_is_told_once_until_whoever_was_told_forgot_it(run, states, monkeypatch):
    monkeypatch.setattr("control.processes.server.LOOK_S", 0.01)
    server = run()
    await states.until(lambda state: state.phase == "ready")
    known = len(states.told)
    server.tell_again()
    await states.until(lambda _: len(states.told) == known + 1)
    server.renumbered(2)
    await states.until(lambda state: state.generation == 2)
    assert len(states.told) == known + 2


async def test_whoever_takes_its_port_before_it_is_not_called_in_its_place(run, states, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [free_port(), taken.getsockname()[1]]
        monkeypatch.setattr("control.processes.server.free_port", lambda _: ports.pop() if ports else free_port())
        run()
        await states.until(lambda state: state.phase == "ready")
    assert [one.phase for one in states.told] == ["starting", "failed", "starting", "ready"]
    assert (states.told[1].cause, states.told[1].endpoint) == ("not_answering", "")


def test_a_port_that_is_taken_is_not_given():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    free = free_port()
    assert free_port(free) == free
