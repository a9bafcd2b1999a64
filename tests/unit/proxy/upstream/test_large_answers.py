from __future__ import annotations

import asyncio
import threading

import pytest

from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.large_answers import LargeAnswers, Turns


class Work:
    """Pieces of work that each wait to be let go, and what was done in which order."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[str] = []
        self.at_once = self.most_at_once = 0

    def __call__(self, name: str) -> str:
        self.begun.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.gate.wait(60)
        self.at_once -= 1
        return name


@pytest.fixture
def work() -> Work:
    return Work()


async def until(true: object) -> None:
    async with asyncio.timeout(60):
        while not true():  # type: ignore[operator]  # noqa: ASYNC110 - a thread sets no event of the loop
            await asyncio.sleep(0.001)


async def test_the_loop_goes_on_while_large_answers_are_done_one_after_the_other(work: Work) -> None:
    large, tasks = LargeAnswers(), Tasks("test")
    running = [tasks.spawn(f"{n}", large.in_turn(lambda n=n: work(f"{n}"))) for n in range(5)]
    await until(lambda: work.begun)  # the loop runs here, though none is done
    assert (len(large), work.begun) == (5, ["0"])
    work.gate.set()
    assert await asyncio.gather(*running) == ["0", "1", "2", "3", "4"]
    assert (work.begun, work.most_at_once, len(large)) == (["0", "1", "2", "3", "4"], 1, 0)


async def test_the_second_half_of_an_answer_comes_before_all_that_wait(work: Work) -> None:
    large, tasks = LargeAnswers(), Tasks("test")
    first = tasks.spawn("first", large.in_turn(lambda: work("read 1")))
    await until(lambda: work.begun)
    others = [
        tasks.spawn("read", large.in_turn(lambda: work("read 2"))),
        tasks.spawn("write", large.in_turn(lambda: work("write 1"), next_in=True)),
    ]
    await until(lambda: len(large) == 3)
    work.gate.set()
    await asyncio.gather(first, *others)
    assert work.begun == ["read 1", "write 1", "read 2"]


async def test_work_that_fails_fails_its_own_caller_and_the_turn_goes_on() -> None:
    large = LargeAnswers()

    def fail() -> None:
        raise ValueError("no JSON")

    for _ in range(2):
        with pytest.raises(ValueError, match="no JSON"):
            await large.in_turn(fail)
    assert await large.in_turn(lambda: "next") == "next"


async def test_who_gives_up_waiting_takes_no_turn_and_keeps_nobody_waiting(work: Work) -> None:
    large, tasks = LargeAnswers(), Tasks("test")
    first = tasks.spawn("first", large.in_turn(lambda: work("first")))
    await until(lambda: work.begun)
    leaving = tasks.spawn("leaving", large.in_turn(lambda: work("leaving")))
    staying = tasks.spawn("staying", large.in_turn(lambda: work("staying")))
    await until(lambda: len(large) == 3)
    leaving.cancel()
    work.gate.set()
    assert await asyncio.gather(first, staying) == ["first", "staying"]
    assert work.begun == ["first", "staying"]


async def test_who_gives_up_in_the_moment_of_their_turn_hands_it_on(work: Work) -> None:
    large, tasks = LargeAnswers(), Tasks("test")
    work.gate.set()
    first = tasks.spawn("first", large.in_turn(lambda: work("first")))
    leaving = tasks.spawn("leaving", large.in_turn(lambda: work("leaving")))
    staying = tasks.spawn("staying", large.in_turn(lambda: work("staying")))
    first.add_done_callback(lambda _: leaving.cancel())
    assert await asyncio.gather(first, leaving, staying, return_exceptions=True) is not None
    assert staying.result() == "staying"
    assert len(large) == 0


@pytest.mark.parametrize("leaving", [1, 2, 6])
async def test_who_gives_up_while_their_work_is_done_leaves_the_thread_to_it(work: Work, leaving: int) -> None:
    large, tasks = LargeAnswers(), Tasks("test")
    for number in range(leaving):
        task = tasks.spawn("leaves", large.in_turn(lambda number=number: work(f"left {number}")))
        if number == 0:
            await until(lambda: work.begun)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    staying = [tasks.spawn("stays", large.in_turn(lambda n=n: work(f"stays {n}"))) for n in range(3)]
    await asyncio.sleep(0)
    assert (work.begun, len(large)) == (["left 0"], 4)
    work.gate.set()
    await asyncio.gather(*staying)
    assert (work.begun, work.most_at_once) == (["left 0", "stays 0", "stays 1", "stays 2"], 1)


async def test_large_answers_leave_the_threads_of_others_alone_and_give_theirs_up_in_the_end() -> None:
    large = LargeAnswers()
    names = [await large.in_turn(lambda: threading.current_thread().name) for _ in range(3)]
    assert set(names) == {"large-answers_0"}
    large.close()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await large.in_turn(lambda: "too late")
    assert len(large) == 0


async def test_what_joins_the_turns_of_a_call_is_held_or_is_never_there() -> None:
    large, held = LargeAnswers(), []

    def hold(size: int) -> None:
        if size > 3:
            raise Refusal("upstream_too_large")
        held.append(size)

    turns = Turns(large, hold)
    assert [await turns.read(bytes.upper, raw) for raw in (b"a", b"bcd")] == [b"A", b"BCD"]
    for raw in (b"abcd", b"abcde"):
        with pytest.raises(Refusal):
            await turns.read(bytes.upper, raw)
    assert (held, len(large)) == ([1, 3], 0)
