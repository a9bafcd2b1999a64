"""The same bytes to both lanes: verdict, headers, body, order of answers and the connection's end are equal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures_redis import RedisServer
from tests.fuzz.differences import judged
from tests.fuzz.grammar import GOOD, byte_string
from tests.fuzz.lanes import Lane, two_lanes
from tests.proxy.conftest import LANES

CORPUS = Path(__file__).parent / "corpus"
AT_ONCE = 12
"""Byte strings of one example, side by side: some of them wait for a deadline."""


class Judge:
    """Both lanes, in a loop that runs while a question is judged."""

    def __init__(self, runner: asyncio.Runner, reference: Lane, other: Lane) -> None:
        self._runner, self._reference, self._other = runner, reference, other

    def agree(self, *questions: tuple[bytes, list[int]]) -> None:
        """Fail where the lanes do not do the same with these byte strings, each cut at its places."""
        found = self._runner.run(self._all(questions))
        if found:
            pytest.fail("\n\n".join(found), pytrace=False)

    async def _all(self, questions: tuple[tuple[bytes, list[int]], ...]) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(judged(self._reference, self._other, raw, cuts)) for raw, cuts in questions]
        return [said for task in tasks if (said := task.result())]


@pytest.fixture
def judge(redis_server: RedisServer) -> Iterator[Judge]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lanes = two_lanes(redis_server, (LANES[0], LANES[-1]))
        reference, other, _ = runner.run(lanes.__aenter__())
        yield Judge(runner, reference, other)
        runner.run(lanes.__aexit__(None, None, None))


@st.composite
def questions(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    raw = byte_string(draw(st.randoms(use_true_random=False)))
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


def test_what_was_found_before_stays_the_same(judge: Judge) -> None:
    for path in sorted(CORPUS.glob("*")):
        raw = path.read_bytes()
        judge.agree((raw, []), (raw, list(range(1, len(raw) + 100))))
