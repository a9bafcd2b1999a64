from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.single_flight import SingleFlight
from core.tasks import Tasks


class Question:
    """Work that waits for its answer, counts how often it was begun, and can be told to fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.asked += 1
        return await asyncio.shield(self.answer)


@pytest.fixture
def tasks() -> Tasks:
    return Tasks("owner", quiet=(OSError,))


@pytest.fixture
def flight(tasks: Tasks) -> SingleFlight[str]:
    return SingleFlight("ask", tasks)


@pytest.fixture
def callers() -> Tasks:
    return Tasks("callers", quiet=(Exception,))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_who_wait_ask_once(flight: SingleFlight[str], callers: Tasks) -> None:
    question = Question()
    waiters = [callers.spawn("caller", flight.result("k", question)) for _ in range(5)]
    await settle()
    question.answer.set_result("answer")
    assert await asyncio.gather(*waiters) == ["answer"] * 5
    assert question.asked == 1


async def test_each_key_has_a_run_of_its_own(flight: SingleFlight[str], callers: Tasks) -> None:
    one, other = Question(), Question()
    first = callers.spawn("caller", flight.result("one", one))
    second = callers.spawn("caller", flight.result("other", other))
    one.answer.set_result("1")
    other.answer.set_result("2")
    assert await asyncio.gather(first, second) == ["1", "2"]


async def test_a_waiter_that_leaves_takes_nothing_from_the_others(flight: SingleFlight[str], callers: Tasks) -> None:
    question = Question()
    leaves = callers.spawn("caller", flight.result("k", question))
    stays = callers.spawn("caller", flight.result("k", question))
    await settle()
    leaves.cancel()
    await settle()
    question.answer.set_result("answer")
    assert await stays == "answer"
    assert leaves.cancelled()


async def test_a_run_goes_on_when_nobody_waits_any_more(flight: SingleFlight[str], callers: Tasks) -> None:
    question = Question()
    waiter = callers.spawn("caller", flight.result("k", question))
    await settle()
    waiter.cancel()
    await settle()
    again = callers.spawn("caller", flight.result("k", question))
    question.answer.set_result("answer")
    assert await again == "answer"
    assert question.asked == 1


async def test_a_failure_is_told_to_all_and_forgotten(flight: SingleFlight[str], callers: Tasks) -> None:
    question, next_question = Question(), Question()
    waiters = [callers.spawn("caller", flight.result("k", question)) for _ in range(3)]
    await settle()
    question.answer.set_exception(OSError("away"))
    assert [str(error) for error in await asyncio.gather(*waiters, return_exceptions=True)] == ["away"] * 3

    next_question.answer.set_result("answer")
    assert await flight.result("k", next_question) == "answer"


async def test_an_answer_is_not_kept(flight: SingleFlight[str]) -> None:
    question = Question()
    question.answer.set_result("answer")
    await flight.result("k", question)
    await flight.result("k", question)
    assert (question.asked, len(flight)) == (2, 0)


async def test_whether_a_run_is_under_way_can_be_seen(flight: SingleFlight[str]) -> None:
    question = Question()
    run = flight.run("k", question)
    assert "k" in flight
    assert "other" not in flight
    question.answer.set_result("answer")
    await run
    await settle()
    assert "k" not in flight


async def test_a_run_belongs_to_its_owner_and_ends_with_it(
    flight: SingleFlight[str], callers: Tasks, tasks: Tasks
) -> None:
    waiter = callers.spawn("caller", flight.result("k", Question()))
    await settle()
    assert len(tasks) == 1
    await tasks.close()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert "k" not in flight


@pytest.mark.parametrize(("error", "logged"), [(ValueError("bug"), ["owner/ask"]), (OSError("away"), [])])
async def test_a_failure_that_nobody_waits_for_is_its_owner_s_to_report(
    flight: SingleFlight[str], callers: Tasks, caplog: pytest.LogCaptureFixture, error: Exception, logged: list[str]
) -> None:
    question = Question()
    waiter = callers.spawn("caller", flight.result("k", question))
    await settle()
    waiter.cancel()
    await settle()
    question.answer.set_exception(error)
    with caplog.at_level(logging.ERROR):
        await settle()
    assert [getattr(record, "task", record.message) for record in caplog.records] == logged


async def test_a_disowned_run_serves_those_who_wait_and_nobody_after(
    flight: SingleFlight[str], callers: Tasks
) -> None:
    old, new = Question(), Question()
    before = callers.spawn("caller", flight.result("k", old))
    await settle()
    flight.disown("k")
    after = callers.spawn("caller", flight.result("k", new))
    await settle()
    old.answer.set_result("old")
    assert await before == "old"
    assert "k" in flight, "the end of the old run is not the new one's"
    new.answer.set_result("new")
    assert await after == "new"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from("ab")),
        st.tuples(st.sampled_from(["answer", "fail", "disown"]), st.sampled_from("ab")),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("disown all"), st.none()),
        st.tuples(st.just("turn"), st.none()),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_each_waiter_hears_of_the_one_run_it_joined(
    steps: list[tuple[str, str | int | None]],
) -> None:
    asyncio.run(play(steps))


async def play(steps: list[tuple[str, str | int | None]]) -> None:
    tasks = Tasks("owner", quiet=(OSError,))
    flight: SingleFlight[str] = SingleFlight("ask", tasks)
    callers = Tasks("callers", quiet=(Exception,))
    current: dict[str, Question] = {}
    waiters: list[tuple[Question, asyncio.Task[str]]] = []
    runs: list[Question] = []

    def begin(key: str) -> Question:
        runs.append(Question())
        current[key] = runs[-1]
        return runs[-1]

    for step, what in steps:
        match step, what:
            case "join", str(key):
                question = current.get(key) or begin(key)
                waiters.append((question, callers.spawn("caller", flight.result(key, question))))
                await settle()
            case "answer", str(key) if key in current:
                current.pop(key).answer.set_result(key)
                await settle()
            case "fail", str(key) if key in current:
                current.pop(key).answer.set_exception(OSError(key))
                await settle()
            case "leave", int(number) if number < len(waiters):
                waiters[number][1].cancel()
            case "disown", str(key):
                flight.disown(key)
                current.pop(key, None)
            case "disown all", _:
                flight.disown_all()
                current.clear()
            case _:
                await settle()
        assert len(flight) == len(current)

    for question in runs:
        if not question.answer.done():
            question.answer.set_result("late")
    await settle()
    assert all(question.asked == 1 for question in runs)
    for question, waiter in waiters:
        assert waiter.done()
        if not waiter.cancelled():
            assert waiter.exception() is question.answer.exception()
            assert waiter.exception() or waiter.result() == question.answer.result()
    assert len(tasks) == 0


async def test_who_ends_waits_for_what_is_under_way_and_not_for_ever(tasks: Tasks) -> None:
    flight, question = SingleFlight[str]("ask", tasks), Question()
    run = flight.run("a", question)
    await flight.come_to_an_end(0.01)
    assert not run.done()
    question.answer.set_result("yes")
    await flight.come_to_an_end(60.0)
    assert (run.result(), len(flight)) == ("yes", 0)
    await flight.come_to_an_end(60.0)
