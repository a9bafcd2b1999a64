from __future__ import annotations

import time

import pytest

from core import internal_call
from core.internal_call import CallMistimed, CallRefused, InternalCalls
from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from core.signing import new_key_before

OLD = new_key()
NEW = new_key_before(OLD)
RING = parse_key_ring("K", OLD)
CALLS = InternalCalls(RING, caller="proxy", answerer="control")


def test_a_call_is_known_by_its_token_and_its_answer_opens() -> None:
    authorization, call_id = CALLS.mint("POST", "/internal/token", b"body")
    assert CALLS.check(authorization, "POST", "/internal/token", b"body") == call_id
    assert CALLS.open_answer(call_id, CALLS.seal_answer(call_id, b"answer")) == b"answer"


def test_a_sealed_question_shows_nothing_and_opens_for_its_path_and_direction_alone() -> None:
    sealed = CALLS.seal_question("/p", b"a caller's token")
    assert b"token" not in sealed
    assert CALLS.open_question("/p", sealed) == b"a caller's token"
    backwards = InternalCalls(RING, caller="control", answerer="proxy")
    answer = CALLS.seal_answer("/p", b"an answer")
    for opener, path, closed in ((CALLS, "/q", sealed), (backwards, "/p", sealed), (CALLS, "/p", answer)):
        with pytest.raises(SealBroken):
            opener.open_question(path, closed)


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", "/p", b"b"), ("POST", "/q", b"b"), ("POST", "/p", b"c")]
)
def test_a_token_is_for_one_method_path_and_body(method: str, path: str, body: bytes) -> None:
    authorization, _ = CALLS.mint("POST", "/p", b"b")
    with pytest.raises(CallRefused, match="another request"):
        CALLS.check(authorization, method, path, body)


def test_a_token_is_for_one_direction() -> None:
    backwards = InternalCalls(RING, caller="control", answerer="proxy")
    authorization, _ = backwards.mint("POST", "/p", b"")
    with pytest.raises(CallRefused):
        CALLS.check(authorization, "POST", "/p", b"")


def test_a_token_lives_half_a_minute_and_the_difference_of_two_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    for age, accepted in ((80, True), (100, False)):
        monkeypatch.setattr(internal_call.time, "time", lambda past=age: now - past)
        old, _ = CALLS.mint("POST", "/p", b"")
        monkeypatch.undo()
        if accepted:
            CALLS.check(old, "POST", "/p", b"")
        else:
            with pytest.raises(CallRefused, match="expired"):
                CALLS.check(old, "POST", "/p", b"")


@pytest.mark.parametrize("ahead", [70, 3600, -100, -3600])
def test_a_call_that_is_good_but_for_its_time_is_told_from_one_that_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    now = time.time()
    stranger = InternalCalls(parse_key_ring("K", new_key()), caller="proxy", answerer="control")
    monkeypatch.setattr(internal_call.time, "time", lambda: now + ahead)
    ours, theirs = (calls.mint("POST", "/p", b"")[0] for calls in (CALLS, stranger))
    monkeypatch.undo()
    with pytest.raises(CallMistimed, match="clocks"):
        CALLS.check(ours, "POST", "/p", b"")
    with pytest.raises(CallRefused) as refused:
        CALLS.check(theirs, "POST", "/p", b"")
    assert not isinstance(refused.value, CallMistimed), "nobody without the key is told about clocks"


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Archway-Internal", "Archway-Internal a.b.c"])
def test_what_is_no_token_is_refused(authorization: str) -> None:
    with pytest.raises(CallRefused):
        CALLS.check(authorization, "POST", "/p", b"")


def test_a_stranger_s_key_is_refused_and_a_previous_one_is_not() -> None:
    authorization, call_id = CALLS.mint("POST", "/p", b"")
    both = InternalCalls(parse_key_ring("K", f"{NEW},{OLD}"), caller="proxy", answerer="control")
    assert both.check(authorization, "POST", "/p", b"") == call_id
    stranger = InternalCalls(parse_key_ring("K", NEW), caller="proxy", answerer="control")
    with pytest.raises(CallRefused):
        stranger.check(authorization, "POST", "/p", b"")


def test_an_answer_is_for_one_call() -> None:
    (_, one), (_, other) = CALLS.mint("POST", "/p", b""), CALLS.mint("POST", "/p", b"")
    with pytest.raises(SealBroken):
        CALLS.open_answer(other, CALLS.seal_answer(one, b"answer"))
