from __future__ import annotations

import time
from unittest.mock import patch

import msgspec
import pytest

from core.internal_call import CallMistimed, CallRefused, InternalCalls
from core.keys import new_key, parse_key_ring
from core.passed_on import ADDRESS, OURS, PROOF, CameFrom, came_from, told

KEY = new_key()
SAID = CameFrom("203.0.113.7", "gw.example", "https", "r1")
TARGET = "/oauth/authorize?client_id=a%20b"


def calls(key: str = KEY) -> InternalCalls:
    return InternalCalls(parse_key_ring("K", key), caller="proxy", answerer="control")


def test_control_learns_what_the_proxy_said() -> None:
    headers = told(calls(), "GET", TARGET, SAID)
    assert came_from(calls(), headers, "GET", TARGET) == SAID
    assert {name.lower() for name in headers} == OURS


def test_without_a_proxys_word_no_header_is_believed() -> None:
    headers = told(calls(), "GET", TARGET, SAID)
    del headers[PROOF]
    assert came_from(calls(), headers, "GET", TARGET) is None
    assert came_from(calls(), {}, "GET", TARGET) is None


@pytest.mark.parametrize("name", sorted(set(told(calls(), "GET", TARGET, SAID)) - {PROOF}))
def test_another_value_of_any_header_is_not_believed(name: str) -> None:
    headers = told(calls(), "GET", TARGET, SAID)
    headers[name] = "http" if name.endswith("Proto") else "198.51.100.1"
    assert came_from(calls(), headers, "GET", TARGET) is None


@pytest.mark.parametrize(
    ("method", "target"), [("POST", TARGET), ("GET", "/oauth/authorize"), ("GET", TARGET + "&x")]
)
def test_the_word_on_one_request_says_nothing_of_another(method: str, target: str) -> None:
    assert came_from(calls(), told(calls(), "GET", TARGET, SAID), method, target) is None


def test_who_has_another_key_is_no_proxy() -> None:
    assert came_from(calls(), told(calls(new_key()), "GET", TARGET, SAID), "GET", TARGET) is None


def test_a_question_between_the_planes_is_no_word_on_a_request_nor_the_other_way_round() -> None:
    question, _ = calls().mint("GET", TARGET, msgspec.msgpack.encode(SAID))
    assert came_from(calls(), told(calls(), "GET", TARGET, SAID) | {PROOF: question}, "GET", TARGET) is None
    word = told(calls(), "POST", "/internal/token", SAID)[PROOF]
    with pytest.raises(CallRefused):
        calls().check(word, "POST", "/internal/token", msgspec.msgpack.encode(SAID))


def test_a_clock_that_is_off_is_told_apart_from_a_lie() -> None:
    with patch("time.time", return_value=time.time() - 3600):
        headers = told(calls(), "GET", TARGET, SAID)
    with pytest.raises(CallMistimed):
        came_from(calls(), headers, "GET", TARGET)
    assert headers[ADDRESS] == SAID.address
