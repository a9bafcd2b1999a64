from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import MAX_BODY, InternalCalls
from core.resolve import (
    LONGEST_JWT,
    MOST_IN_A_LIST,
    CallerQuestion,
    CallerQuestions,
    InstallationQuestion,
    InstallationQuestions,
    JwtProof,
    TokenProof,
)
from core.tasks import Tasks
from core.tokens import digest
from proxy.caches.two_ages import SourceUnreachable
from proxy.redis import Redis
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_client import ControlClient, ListsUnknown, room_of
from proxy.resolve.refreshes import ONE_BY_ONE_S, Refreshes
from tests.fakes.control import FakeControl
from tests.plugins.moved_clock import MovedClock

Question = CallerQuestion | InstallationQuestion


class Control:
    """Answers a question in upper case, of a list all but what it cannot."""

    def __init__(self) -> None:
        self.one_by_one: list[str] = []
        self.lists: list[list[str]] = []
        self.knows_lists = True
        self.left_out: set[str] = set()
        self.broken: set[str] = set()

    async def one(self, question: str) -> str:
        self.one_by_one.append(question)
        if question in self.broken:
            raise SourceUnreachable
        return question.upper()

    async def many(self, questions: list[str]) -> dict[str, str]:
        self.lists.append(questions)
        if not self.knows_lists:
            raise ListsUnknown
        return {one: one.upper() for one in questions if one not in self.left_out}


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
async def refreshes(control: Control) -> AsyncIterator[Refreshes[str, str]]:
    tasks = Tasks("test")
    yield Refreshes("letters", control.one, control.many, tasks)
    await tasks.close()


async def asked(refreshes: Refreshes[str, str], letters: str) -> str:
    return "".join(await asyncio.gather(*(refreshes.ask(letter) for letter in letters)))


async def test_those_of_one_moment_are_one_question(refreshes: Refreshes[str, str], control: Control) -> None:
    assert await asked(refreshes, "abc") == "ABC"
    assert (control.lists, control.one_by_one, refreshes.questions) == ([["a", "b", "c"]], [], 1)


async def test_one_alone_is_asked_as_a_call_would(refreshes: Refreshes[str, str], control: Control) -> None:
    assert await asked(refreshes, "a") == "A"
    assert (control.lists, control.one_by_one, refreshes.questions) == ([], ["a"], 1)


async def test_a_list_has_an_end(refreshes: Refreshes[str, str], control: Control) -> None:
    await asyncio.gather(*(refreshes.ask(f"{number}") for number in range(2 * MOST_IN_A_LIST + 1)))
    assert [len(one) for one in control.lists] == [MOST_IN_A_LIST] * 2
    assert refreshes.questions == 3


LONGEST = [JwtProof.of(f"{number:03}" + "j" * (LONGEST_JWT - 3)) for number in range(MOST_IN_A_LIST)]


@pytest.mark.parametrize(
    ("questions", "listed"),
    [
        ([CallerQuestion.of(one) for one in LONGEST], CallerQuestions.of),
        ([InstallationQuestion.of(one, "g" * 36, "a" * 36) for one in LONGEST], InstallationQuestions),
    ],
    ids=["callers", "installations"],
)
async def test_a_hundred_of_the_longest_signed_tokens_are_lists_that_control_reads(
    questions: list[Question], listed: Callable[[list[Question]], object]
) -> None:
    tasks = Tasks("test")
    lists: list[list[Question]] = []

    async def one(question: Question) -> str:
        raise AssertionError

    async def many(some: list[Question]) -> dict[Question, str]:
        lists.append(some)
        return dict.fromkeys(some, "answer")

    refreshes = Refreshes("questions", one, many, tasks, room_of=room_of)
    assert await asyncio.gather(*map(refreshes.ask, questions)) == ["answer"] * MOST_IN_A_LIST
    for some in lists:
        sent = len(msgspec.msgpack.encode(listed(some)))
        assert sent <= sum(map(room_of, some))
        assert sent < MAX_BODY
    await tasks.close()


async def test_what_a_list_leaves_out_is_asked_alone_and_spoils_no_other(
    refreshes: Refreshes[str, str], control: Control
) -> None:
    control.left_out = {"b", "c"}
    control.broken = {"c"}
    answers = await asyncio.gather(*(refreshes.ask(letter) for letter in "abcd"), return_exceptions=True)
    assert [answers[0], answers[1], answers[3]] == ["A", "B", "D"]
    assert isinstance(answers[2], SourceUnreachable)
    assert (control.one_by_one, refreshes.questions) == (["b", "c"], 3)


async def test_a_control_that_knows_no_lists_is_asked_one_by_one_and_tried_again_after_a_while(
    refreshes: Refreshes[str, str], control: Control, clock: MovedClock
) -> None:
    control.knows_lists = False
    for _ in range(3):
        assert await asked(refreshes, "abc") == "ABC"
    assert (len(control.lists), len(control.one_by_one)) == (1, 9)
    control.knows_lists = True
    clock.pass_by(ONE_BY_ONE_S)
    assert await asked(refreshes, "abc") == "ABC"
    assert (len(control.lists), len(control.one_by_one)) == (2, 9)


@pytest.mark.parametrize(
    ("knows_lists", "paths"), [(True, ["tokens"]), (False, ["tokens", "token", "token", "token"])]
)
async def test_a_control_of_either_version_refreshes_what_is_held(
    knows_lists: bool, paths: list[str], clock: MovedClock
) -> None:
    tasks, redis = Tasks("test"), Redis("redis://127.0.0.1:1/0")
    async with FakeControl() as control, Egress(AddressPolicy(parse_networks("127.0.0.0/8"))) as egress:
        control.knows_lists = knows_lists
        client = ControlClient(
            egress, (control.url,), InternalCalls(control.ring, caller="proxy", answerer="control")
        )
        authority = Authority(client, redis, control.ring, soft=60, hard=600, unknown_per_second=99, tasks=tasks)
        digests = [digest(control.token()) for _ in range(3)]
        for one in digests:
            await authority.verdict(TokenProof(one), "192.0.2.1")
        clock.pass_by(40)
        control.asked.clear()
        assert all(authority.known(TokenProof(one)) for one in digests)
        running = [*authority.verdicts.memory._asking._running.values()]
        _, late = await asyncio.wait(running, timeout=30)
        assert not late
        assert all(authority.verdicts.memory.young(one) for one in digests)
        assert control.asked == [f"/internal/{path}" for path in paths]
    await tasks.close()
    await redis.close()
