from __future__ import annotations

import json
from unittest.mock import patch

import pytest

from proxy.answers.refused import answer_of_refusal
from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.answer_headers import own_headers
from proxy.edge.overload_refusals import MOST_SKIPPED, OverloadRefusals
from proxy.exchange import Exchange, Head
from proxy.refusals import Refusal
from tests.fakes.call_parts import Outlet
from tests.fakes.overload import overloaded


def parts(answer: bytes) -> tuple[str, dict[str, str], dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), json.loads(body)


async def test_it_says_what_the_usual_refusal_says_but_that_the_connection_stays(deps: Deps) -> None:
    heads = AnswerHeads()
    x = Exchange(Head("POST", "/v1/mcp/g", (1, 1), (), "10.0.0.1"), Outlet())
    usual = answer_of_refusal(x, Refusal("overloaded", retry_after=1), deps)
    assert usual.close
    head = heads.of(usual, own_headers(x.request_id, "", frozenset()), close=False)

    first, headers, body = parts(OverloadRefusals(deps, heads).answer("10.0.0.1"))

    request_id = headers["X-Request-Id"]
    expected = (head + usual.body).replace(x.request_id.encode(), request_id.encode())
    assert (first, headers, body) == parts(expected)
    assert first == "HTTP/1.1 503 Service Unavailable"
    assert headers["Retry-After"] == "1"


def plain_call() -> Head:
    headers = {"host": "gw.example", "authorization": "Bearer t"}
    return Head("POST", "/v1/mcp/g", (1, 1), (), "127.0.0.1", headers)


async def test_a_call_that_is_one_too_many_is_refused_with_a_whole_answer(deps: Deps) -> None:
    deps.overload = overloaded()
    answer = OverloadRefusals(deps, AnswerHeads()).ask(plain_call(), 0, close=False)
    assert isinstance(answer, bytes)
    assert answer.startswith(b"HTTP/1.1 503 ")


async def test_a_call_that_is_let_in_need_not_be_asked_about_again(deps: Deps) -> None:
    with patch.object(type(deps.overload), "refuses", lambda *_, **__: False):
        assert OverloadRefusals(deps, AnswerHeads()).ask(plain_call(), 0, close=False) is True


@pytest.mark.parametrize(
    ("missing", "close", "draining"),
    [(MOST_SKIPPED + 1, False, False), (0, True, False), (0, False, True)],
    ids=["a long body", "the last call", "the worker drains"],
)
async def test_a_call_whose_connection_has_to_end_is_left_to_the_pipeline(
    deps: Deps, missing: int, close: bool, draining: bool
) -> None:
    deps.overload, deps.draining = overloaded(), draining
    assert OverloadRefusals(deps, AnswerHeads()).ask(plain_call(), missing, close=close) is False


async def test_each_answer_has_an_identifier_of_its_own_and_the_time(deps: Deps) -> None:
    refusals = OverloadRefusals(deps, AnswerHeads())
    with patch("time.time", return_value=0.0):
        one, other = parts(refusals.answer("a"))[1], parts(refusals.answer("a"))[1]
    assert one["X-Request-Id"] != other["X-Request-Id"]
    assert one["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    with patch("time.time", return_value=1.0):
        assert parts(refusals.answer("a"))[1]["Date"] == "Thu, 01 Jan 1970 00:00:01 GMT"


async def test_it_is_counted_and_seldom_logged(deps: Deps) -> None:
    refusals = OverloadRefusals(deps, AnswerHeads())
    for _ in range(1000):
        refusals.answer("10.0.0.1")
    assert deps.slots.value('archway_refusals_total{reason="overloaded"}') == 1000
    assert deps.slots.value('archway_requests_total{lane="fast"}') == 1000
    assert deps.refusal_log.unsaid >= 990
