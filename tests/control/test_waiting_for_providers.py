"""Proxies' questions that wait for a provider of a server, which must hold up nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from control.internal import listener
from control.internal.listener import PLACES, InternalListener
from control.internal.questions import LONGEST_WAIT_S, Later, Questions
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal
from core.tasks import Tasks

CALLS = InternalCalls(parse_key_ring("ARCHWAY_PROXY_KEY", new_key()), caller="proxy", answerer="control")
ANSWER = InstallationAnswer(refusal=InstallationRefusal("provider_away", "It is still connected."))


class Waiting:
    """Questions whose answers wait until a test says so."""

    def __init__(self) -> None:
        self.may_answer, self.asked = asyncio.Event(), 0

    async def installation(self, question: InstallationQuestion) -> Later:
        self.asked += 1
        return Later(self._quick if question.digest == "quick" else self._slow, question.waits_s)

    async def _quick(self) -> InstallationAnswer:
        return ANSWER

    async def _slow(self) -> InstallationAnswer:
        await self.may_answer.wait()
        return ANSWER


@pytest.fixture
async def served() -> AsyncIterator[tuple[Waiting, str]]:
    tasks, waiting = Tasks("test"), Waiting()
    others = ("caller", "callers", "installations", "gateway", "key_set", "index")
    questions: Any = SimpleNamespace(
        installation=waiting.installation, steps=SimpleNamespace(take=None), **dict.fromkeys(others)
    )
    watches: Any = SimpleNamespace(answer=None, heard=None)
    listener_ = InternalListener(CALLS, questions, tasks, watches)
    runner = web.AppRunner(listener_.application(), handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield waiting, f"http://127.0.0.1:{runner.addresses[0][1]}"
    waiting.may_answer.set()
    await runner.cleanup()
    await tasks.close()


async def ask(url: str, digest: str, waits_s: float = 0.0) -> int:
    body = msgspec.msgpack.encode(InstallationQuestion(digest, "g", "a", waits_s=waits_s))
    authorization, _ = CALLS.mint("POST", "/internal/connection", body)
    headers = {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/internal/connection", data=body, headers=headers) as response,
    ):
        return response.status


async def test_calls_that_wait_for_a_provider_hold_up_nobody_elses(
    served: tuple[Waiting, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ALL_WITHIN_S", 60.0)
    waiting, url = served
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(ask(url, "slow")) for _ in range(3 * PLACES["connection"])]
        assert await ask(url, "quick") == 200
        assert not any(one.done() for one in slow)
        waiting.may_answer.set()
    assert {one.result() for one in slow} == {200}


async def test_an_answer_that_does_not_come_in_time_is_to_be_asked_for_again(
    served: tuple[Waiting, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ALL_WITHIN_S", 0.05)
    assert await ask(served[1], "slow") == 503


async def test_no_more_than_so_many_wait_for_providers(
    served: tuple[Waiting, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_LATER", 0)
    assert await ask(served[1], "quick") == 503


async def test_a_question_that_may_wait_for_longer_does(
    served: tuple[Waiting, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ALL_WITHIN_S", 0.05)
    waiting, url = served
    async with asyncio.TaskGroup() as group:
        patient = group.create_task(ask(url, "slow", waits_s=60.0))
        assert await ask(url, "slow") == 503
        assert not patient.done()
        waiting.may_answer.set()
    assert patient.result() == 200


@pytest.mark.parametrize(("asked", "waits"), [(0.0, 0.0), (0.3, 0.3), (1e9, LONGEST_WAIT_S), (-5.0, 0.0)])
async def test_an_answer_waits_as_long_as_the_asker_but_not_for_ever(asked: float, waits: float) -> None:
    nobody: Any = None  # a proof that is none is not looked up
    questions = Questions(nobody, nobody, nobody, nobody, nobody, "")
    later = await questions.installation(InstallationQuestion("no digest", "g", "a", waits_s=asked))
    assert later.waits_s == waits
