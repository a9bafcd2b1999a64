from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from core.tasks import Tasks
from proxy.limits.running_calls import Asked
from proxy.refusals import Refusal
from proxy.sessions import suspended_calls as module
from proxy.sessions.suspended_calls import LONGEST_QUESTION, MOST, MOST_BYTES, SuspendedCall, SuspendedCalls
from tests.fakes.callers import a_user

MINE = ("gateway", "user:u", "tools/call", "t", "digest")
FORM = {"message": "Which?"}


@pytest.fixture
async def calls() -> AsyncIterator[SuspendedCalls]:
    tasks = Tasks("test", quiet=(Refusal,))
    yield SuspendedCalls(tasks)
    await tasks.close()


def asked(name: str = "u") -> Asked:
    return Asked(a_user(name), "g", "127.0.0.1", None)


def asks(*times: str) -> Any:
    """A server that asks so often, and answers with what it was told."""

    def converse(call: SuspendedCall) -> Coroutine[Any, Any, dict[str, Any]]:
        async def run() -> dict[str, Any]:
            return {"result": [await call.ask("elicitation/create", {"message": one}) for one in times]}

        return run()

    return converse


async def test_a_call_that_asks_nothing_is_answered_and_not_kept(calls: SuspendedCalls) -> None:
    call = calls.begin(MINE, asked(), asks())
    assert await call.outcome() == {"result": []}
    assert len(calls) == 0


@pytest.mark.parametrize("place", range(len(MINE)))
async def test_a_call_is_found_by_whose_it_is_alone(calls: SuspendedCalls, place: int) -> None:
    call = calls.begin(MINE, asked(), asks("one"))
    assert await call.outcome() is None
    assert calls.find(call.id, (*MINE[:place], "another", *MINE[place + 1 :])) is None
    assert calls.find(call.id, MINE) is call


async def test_a_call_waits_for_its_answers_from_one_question_to_the_next(calls: SuspendedCalls) -> None:
    call = calls.begin(MINE, asked(), asks("one", "two"))
    for expected in ("one", "two"):
        assert await call.outcome() is None
        assert calls.find(call.id, MINE) is call
        ((key, question),) = call.questions.items()
        assert question == {"method": "elicitation/create", "params": {"message": expected}}
        call.answer({key: {"action": "accept", "content": expected}})
    told = await call.outcome()
    assert told == {"result": [{"result": {"action": "accept", "content": one}} for one in ("one", "two")]}
    assert len(calls) == 0


async def test_questions_at_the_same_time_are_asked_together(calls: SuspendedCalls) -> None:
    def both(call: SuspendedCall) -> Coroutine[Any, Any, dict[str, Any]]:
        async def run() -> dict[str, Any]:
            told = await asyncio.gather(call.ask("roots/list", {}), call.ask("elicitation/create", FORM))
            return {"result": told}

        return run()

    call = calls.begin(MINE, asked(), both)
    assert await call.outcome() is None
    assert {one["method"] for one in call.questions.values()} == {"roots/list", "elicitation/create"}


async def test_another_call_caller_or_gateway_does_not_find_it(calls: SuspendedCalls) -> None:
    call = calls.begin(MINE, asked(), asks("one"))
    await call.outcome()
    assert calls.find("none", MINE) is None
    for place in range(len(MINE)):
        assert calls.find(call.id, (*MINE[:place], "other", *MINE[place + 1 :])) is None


async def test_a_question_that_nobody_answers_in_time_is_an_error_for_the_server(
    calls: SuspendedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUESTION_S", 0.01)
    call = calls.begin(MINE, asked(), asks("one"))
    told = await call.task
    assert told["result"][0]["error"]["message"] == "No answer within 0.01 s."


async def test_a_call_that_nobody_comes_back_for_is_given_up(
    calls: SuspendedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = calls.begin(MINE, asked(), asks("one"))
    await asyncio.sleep(0)  # it has asked, and waits for as long as usual
    monkeypatch.setattr(module, "QUESTION_S", 0.01)
    assert await call.outcome() is None
    await asyncio.wait([call.task], timeout=30)
    assert len(calls) == 0


async def test_what_ends_running_calls_ends_one_that_waits_and_says_why(calls: SuspendedCalls) -> None:
    call = calls.begin(MINE, asked(), asks("one"))
    await call.outcome()
    (running,) = calls
    running.cut_off("access_ended")
    with pytest.raises(Refusal) as refusal:
        await call.outcome()
    assert refusal.value.reason == "access_ended"


async def test_what_the_call_raises_is_raised_for_who_waits(calls: SuspendedCalls) -> None:
    async def fails() -> dict[str, Any]:
        raise Refusal("upstream_broken", server="s")

    with pytest.raises(Refusal):
        await calls.begin(MINE, asked(), lambda _: fails()).outcome()


async def test_one_caller_has_a_quarter_of_the_room(calls: SuspendedCalls) -> None:
    for _ in range(MOST // 4):
        await asyncio.sleep(0)
        calls.hold(calls.begin(MINE, asked(), asks("one")))
    refused = calls.begin(MINE, asked(), asks("one"))
    told = await refused.outcome()
    assert told is not None
    assert "Too much waits" in told["result"][0]["error"]["message"]
    assert calls.hold(calls.begin(MINE, asked("other"), asks("one")))


async def test_a_question_that_is_too_long_is_not_kept(calls: SuspendedCalls) -> None:
    told = await calls.begin(MINE, asked(), asks("x" * LONGEST_QUESTION)).outcome()
    assert told is not None
    assert "Too much waits" in told["result"][0]["error"]["message"]


async def test_the_questions_that_wait_have_a_quarter_of_the_bytes_for_one_caller(calls: SuspendedCalls) -> None:
    long = "x" * (LONGEST_QUESTION - 100)
    waiting = [calls.begin(MINE, asked(), asks(long)) for _ in range(MOST_BYTES // 4 // LONGEST_QUESTION)]
    for call in waiting:
        assert await call.outcome() is None
    assert await calls.begin(MINE, asked(), asks(long)).outcome() is not None
    assert await calls.begin(MINE, asked("other"), asks(long)).outcome() is None
    waiting[0].give_up()
    assert await calls.begin(MINE, asked(), asks(long)).outcome() is None


async def test_a_result_that_comes_while_the_caller_is_away_is_kept_if_there_is_room(
    calls: SuspendedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 4_000)
    away = asyncio.Event()

    def converse(size: int) -> Any:
        async def run(call: SuspendedCall) -> dict[str, Any]:
            asking = calls.tasks.spawn("question", call.ask("roots/list", {}))
            await away.wait()
            asking.cancel()
            return {"result": "x" * size}

        return run

    small, large = calls.begin(MINE, asked(), converse(100)), calls.begin(MINE, asked(), converse(2_000))
    assert [await small.outcome(), await large.outcome()] == [None, None]
    away.set()
    await asyncio.wait([small.task, large.task])
    await asyncio.sleep(0)
    assert calls.find(small.id, MINE) is small
    assert calls.find(large.id, MINE) is None
    assert await small.outcome() == {"result": "x" * 100}
