from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tasks import Tasks
from proxy.caches.in_lists import InLists
from proxy.caches.two_ages import SourceUnreachable


class Source:
    """Answers each question with itself and a mark; says nothing about some, and nothing at all when it is down."""

    def __init__(self, silent_about: frozenset[int] = frozenset()) -> None:
        self.asked: list[list[int]] = []
        self.silent_about = silent_about
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, questions: list[int]) -> Mapping[int, str]:
        self.asked.append(questions)
        await self.gate.wait()
        if self.down:
            raise SourceUnreachable
        answers = {one: f"answer to {one}" for one in reversed(questions) if one not in self.silent_about}
        return answers | {-1: "an answer that nobody asked for"}


async def test_what_is_asked_in_one_round_is_asked_as_one(tasks: Tasks) -> None:
    source = Source()
    lists = InLists("test", source, tasks)
    assert await asyncio.gather(*(lists.ask(number) for number in (3, 1, 2))) == [
        "answer to 3",
        "answer to 1",
        "answer to 2",
    ]
    assert await lists.ask(4) == "answer to 4"
    assert source.asked == [[3, 1, 2], [4]]


async def test_a_list_ends_where_there_is_no_room_for_the_next_question(tasks: Tasks) -> None:
    source = Source()
    lists = InLists("test", source, tasks, most=3, room=10, room_of=lambda question: question)
    asked = (4, 6, 1, 2, 3, 5, 40, 1)
    answers = await asyncio.gather(*(lists.ask(number) for number in asked))
    assert answers == [f"answer to {number}" for number in asked]
    assert source.asked == [[4, 6], [1, 2, 3], [5], [40], [1]]


@given(
    questions=st.lists(st.integers(0, 20), min_size=1, max_size=60),
    most=st.integers(1, 10),
    room=st.integers(0, 50),
    silent=st.frozensets(st.integers(0, 20)),
    leaving=st.sets(st.integers(0, 59)),
)
def test_each_asker_gets_the_answer_to_their_own_question(
    questions: list[int], most: int, room: int, silent: frozenset[int], leaving: set[int]
) -> None:
    async def asking() -> None:
        source, tasks = Source(silent), Tasks("test")
        lists = InLists("test", source, tasks, most=most, room=room, room_of=lambda question: question)
        source.gate.clear()
        asked = [tasks.spawn("asker", lists.ask(one)) for one in questions]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in leaving:
            if number < len(asked):
                asked[number].cancel()
        source.gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for number, (question, answer) in enumerate(zip(questions, answers, strict=True)):
            if number in leaving:
                assert isinstance(answer, asyncio.CancelledError)
            else:
                assert answer == (None if question in silent else f"answer to {question}")
        assert all(len(one) <= most and len(set(one)) == len(one) for one in source.asked)
        assert all(len(one) == 1 or sum(one) <= room for one in source.asked)
        await tasks.close()

    asyncio.run(asking())


async def test_a_failure_is_each_askers_and_the_next_are_asked_again(tasks: Tasks) -> None:
    source = Source()
    lists = InLists("test", source, tasks)
    source.down = True
    failed = await asyncio.gather(*(lists.ask(number) for number in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [SourceUnreachable] * 3
    source.down = False
    assert await lists.ask(0) == "answer to 0"


async def test_who_left_before_the_question_is_not_asked_for(tasks: Tasks) -> None:
    source = Source()
    lists = InLists("test", source, tasks)
    leaving, staying = tasks.spawn("asker", lists.ask(1)), tasks.spawn("asker", lists.ask(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "answer to 2"
    assert source.asked in ([[2]], [[1, 2]])


async def test_at_the_end_of_the_owner_nobody_waits_for_ever() -> None:
    tasks, source = Tasks("test"), Source()
    lists = InLists("test", source, tasks)
    source.gate.clear()
    waiting = tasks.spawn("asker", lists.ask(1))
    for _ in range(3):
        await asyncio.sleep(0)
    await tasks.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 30)
