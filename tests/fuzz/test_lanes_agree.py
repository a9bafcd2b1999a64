"""The same bytes to both lanes, and to the fast one with plans: verdict, headers, body, order of answers, records and
the connection's end are equal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures_redis import RedisServer
from tests.fuzz.differences import judged
from tests.fuzz.grammar import GOOD
from tests.fuzz.lanes import Lane, all_lanes, beginnings
from tests.fuzz.repeated import USUAL_CALLS, conversation, rows

CORPUS = Path(__file__).parent / "corpus"
AT_ONCE = 12
"""Byte strings of one example, side by side: some of them wait for a deadline."""


class Judge:
    """The lanes, in a loop that runs while a question is judged."""

    def __init__(self, runner: asyncio.Runner, lanes: list[Lane]) -> None:
        self._runner, self._lanes = runner, lanes

    @property
    def by_plan(self) -> list[int]:
        """How many calls each has sent by a plan."""
        return [lane.by_plan for lane in self._lanes]

    def agree(self, *questions: tuple[bytes, list[int]]) -> None:
        """Fail where the lanes do not do the same with these byte strings, each cut at its places."""
        found = self._runner.run(self._all(questions))
        if found:
            pytest.fail("\n\n".join(found), pytrace=False)

    async def _all(self, questions: tuple[tuple[bytes, list[int]], ...]) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(judged(self._lanes, raw, cuts)) for raw, cuts in questions]
        return [said for task in tasks if (said := task.result())]


@pytest.fixture
def judge(redis_server: RedisServer) -> Iterator[Judge]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        running = all_lanes(redis_server)
        lanes, _ = runner.run(running.__aenter__())
        yield Judge(runner, lanes)
        runner.run(running.__aexit__(None, None, None))


@st.composite
def questions(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    raw = conversation(draw(st.randoms(use_true_random=False)))
    cuts = draw(st.lists(st.integers(1, max(1, len(raw))), max_size=6))
    return raw, cuts


def test_good_requests_are_the_same_in_both_lanes_wherever_they_are_cut(judge: Judge) -> None:
    for make in GOOD:
        raw = bytes(make())
        judge.agree((raw, []), (raw, list(range(1, len(raw) + 100))))
    for make in (GOOD[7], GOOD[13]):  # ping and health: no server behind takes time
        raw = bytes(make())
        places = range(1, len(raw) + 60)
        for start in range(0, len(places), AT_ONCE):
            judge.agree(*((raw, [place]) for place in places[start : start + AT_ONCE]))


def test_whatever_comes_both_lanes_do_the_same(judge: Judge) -> None:
    @settings(
        max_examples=24,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(questions(), min_size=1, max_size=AT_ONCE))
    def agree(asked: list[tuple[bytes, list[int]]]) -> None:
        judge.agree(*asked)

    agree()
    *without, by_plan = judge.by_plan
    assert without == [0, 0]
    assert by_plan > 20


def test_calls_with_one_head_are_the_same_by_a_plan_whatever_their_bodies_and_answers(judge: Judge) -> None:
    asked = [(raw, cuts) for make in USUAL_CALLS for raw in rows(make) for cuts in ([], beginnings(raw))]
    for start in range(0, len(asked), AT_ONCE):
        judge.agree(*asked[start : start + AT_ONCE])
    assert judge.by_plan[-1] > len(asked)


def test_what_was_found_before_stays_the_same(judge: Judge) -> None:
    for path in sorted(CORPUS.glob("*")):
        raw = path.read_bytes()
        judge.agree((raw, []), (raw, list(range(1, len(raw) + 100))), (raw, beginnings(raw)))
