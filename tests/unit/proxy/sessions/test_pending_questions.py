from __future__ import annotations

from types import SimpleNamespace

import pytest

from proxy.limits import budget
from proxy.refusals import Refusal
from proxy.sessions.pending_questions import MOST, PendingQuestions, answered_in, may_be_ours


async def test_an_answer_of_its_session_reaches_the_question() -> None:
    pending = PendingQuestions()
    with pending.begin("jti", "user:u") as question:
        assert pending.answer("jti", question.id, {"result": {"action": "accept"}})
        assert await question.answer == {"result": {"action": "accept"}}
    assert len(pending) == 0


async def test_nobody_answers_for_another_session_or_what_was_not_asked() -> None:
    pending = PendingQuestions()
    with pending.begin("jti", "user:u") as question:
        assert not pending.answer("other", question.id, {"result": {}})
        assert not pending.answer("jti", "archway-none", {"result": {}})
        assert not pending.answer("jti", 3, {"result": {}})
        assert not question.answer.done()


async def test_a_second_answer_changes_nothing() -> None:
    pending = PendingQuestions()
    with pending.begin("jti", "user:u") as question:
        assert pending.answer("jti", question.id, {"result": {"first": 1}})
        assert pending.answer("jti", question.id, {"result": {"second": 2}})
        assert await question.answer == {"result": {"first": 1}}


async def test_an_answer_after_the_end_is_for_nobody() -> None:
    pending = PendingQuestions()
    with pending.begin("jti", "user:u") as question:
        pass
    assert not pending.answer("jti", question.id, {"result": {}})


async def test_a_session_that_ends_answers_nothing_any_more() -> None:
    pending = PendingQuestions()
    with pending.begin("jti", "user:u") as one, pending.begin("other", "user:u") as two:
        pending.end_session("jti")
        assert one.answer.cancelled()
        assert not two.answer.done()


async def test_one_caller_has_a_quarter_of_the_room_and_gives_it_back() -> None:
    pending = PendingQuestions()
    asked = [pending.begin("jti", "user:u") for _ in range(MOST // 4)]
    with pytest.raises(Refusal) as refusal:
        pending.begin("jti", "user:u")
    assert refusal.value.reason == "overloaded"
    pending.begin("jti", "user:other")
    pending.end(asked[0])
    pending.begin("jti", "user:u")


@pytest.mark.parametrize(
    ("identifier", "ours"), [("archway-1", True), ("1", False), (1, False), ("archway-" + "x" * 100, False)]
)
def test_only_what_a_worker_may_have_asked_is_looked_for(identifier: object, ours: bool) -> None:
    assert may_be_ours(identifier) is ours


def test_a_letter_brings_the_answer_as_it_was() -> None:
    assert answered_in(b'{"error":{"code":1,"message":"no"}}') == {"error": {"code": 1, "message": "no"}}


async def test_letters_have_a_budget_of_bytes_of_which_one_caller_has_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: 0.0))
    pending = PendingQuestions()
    sent = [pending.may_send("user:a", 1 << 20) for _ in range(6)]
    assert sent == [True] * 4 + [False] * 2
    assert pending.may_send("user:b", 1 << 20)
