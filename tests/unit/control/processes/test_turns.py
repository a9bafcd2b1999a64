import asyncio
from dataclasses import replace

import pytest

from control.processes import turns as module
from control.processes.turns import Turns
from control.registry.server_state import ServerState
from tests.control.obedient_server import wanted
from tests.unit.control.processes.test_server import States

READY = ServerState(
    installation_id="one", place="process", phase="ready", generation=1, endpoint="http://127.0.0.1:1"
)


class Scripted:
    """A server that does what a test says, and waits in its calls until it may end."""

    def __init__(self, tell, generation):
        self.wanted = wanted(generation=generation, drain_s=600.0)
        self._tell, self.state, self.may_end = tell, None, asyncio.Event()
        self.started = self.stopped = self.waited_for = False

    def start(self):
        self.started = True

    async def says(self, phase, **more):
        generation = self.wanted.generation
        state = replace(READY, phase=phase, generation=generation, endpoint=f"http://127.0.0.1:{generation}", **more)
        await self._tell(state)
        self.state = state

    async def idle(self, within_s):
        self.waited_for = within_s == self.wanted.drain_s
        await self.may_end.wait()

    async def stop(self):
        self.stopped = True

    def tell_again(self):
        self.state = None


@pytest.fixture
async def scene(monkeypatch):
    monkeypatch.setattr(module, "LEARN_S", 0.001)
    scene = Scene()
    yield scene
    await scene.turns.stop()


class Scene:
    def __init__(self):
        self.states, self.begun, self.left = States(), [], asyncio.Queue()
        self.turns = Turns("one", self.states)

    def begin(self):
        number = len(self.begun) + 1

        async def left():
            await self.left.put(number)

        self.begun.append(self.turns.begin(lambda tell: Scripted(tell, number), left))
        return self.begun[-1]

    def told(self):
        return [(one.phase, one.generation, one.cause, one.endpoint[-2:]) for one in self.states.told]


async def test_the_next_one_takes_the_place_when_it_answers_and_the_one_before_ends_when_its_calls_have(scene):
    first = scene.begin()
    await first.says("ready")
    second = scene.begin()
    await second.says(
        "starting",
    )
    assert scene.turns.newest is second
    assert scene.told() == [("ready", 1, "", ":1")]
    await second.says("ready")
    await first.says("starting")  # nobody is told of it any more
    assert scene.told() == [("ready", 1, "", ":1"), ("ready", 2, "", ":2")]
    assert not first.stopped
    first.may_end.set()
    async with asyncio.timeout(30):
        assert await scene.left.get() == 1
    assert (first.stopped, first.waited_for, second.stopped) == (True, True, False)


async def test_one_that_does_not_come_to_answer_leaves_the_one_before_in_its_place_and_says_why(scene):
    first = scene.begin()
    await first.says("ready")
    second = scene.begin()
    await second.says("failed", cause="crashed", message="no")
    assert scene.told()[1:] == [("degraded", 2, "crashed", ":1")]
    assert not first.stopped
    await second.says("ready")
    assert scene.told()[2:] == [("ready", 2, "", ":2")]


async def test_what_the_next_one_does_counts_where_the_one_before_has_ended_meanwhile(scene):
    first = scene.begin()
    await first.says("ready")
    second = scene.begin()
    await first.says("failed", cause="no_token")
    assert not scene.turns.answers
    await second.says("starting")
    assert scene.told()[1:] == [("failed", 1, "no_token", ":1"), ("starting", 2, "", ":2")]


async def test_one_that_was_never_called_ends_for_a_third(scene):
    first = scene.begin()
    await first.says("ready")
    second, third = scene.begin(), scene.begin()
    async with asyncio.timeout(30):
        assert await scene.left.get() == 2
    assert (second.stopped, second.waited_for) == (True, False)
    await third.says("ready")
    assert scene.told()[-1][:2] == ("ready", 3)


async def test_at_the_end_all_of_them_end(scene):
    first = scene.begin()
    await first.says("ready")
    second = scene.begin()
    await second.says("ready")
    third = scene.begin()
    await scene.turns.stop()
    assert [one.stopped for one in (first, second, third)] == [True, True, True]
