from __future__ import annotations

import json

import pytest

from proxy.answers.refused_page import refused_page
from proxy.deps import Deps
from proxy.refusals import Refusal
from tests.fakes.proxy_parts import exchange


async def test_a_person_gets_a_page_that_says_what_to_do_and_runs_nothing(deps: Deps) -> None:
    x = exchange({}, method="GET", target="/sign-in")
    x.headers = {"accept": "text/html,application/xhtml+xml"}
    answer = refused_page(x, Refusal("sign_in_away", retry_after=2), deps)
    assert (answer.status, answer.media_type) == (503, "text/html; charset=utf-8")
    assert answer.headers["Retry-After"] == "2"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    page = answer.body.decode()
    assert "retry soon" in page
    assert x.request_id in page
    assert "<script" not in page
    assert "style" not in page
    assert deps.slots.value('archway_refusals_total{reason="sign_in_away"}') == 1


async def test_what_a_caller_sent_stands_in_no_page_as_markup(deps: Deps) -> None:
    x = exchange({}, method="GET", target="/sign-in")
    x.headers = {"accept": "text/html"}
    page = refused_page(x, Refusal("method_not_allowed", method="<script>"), deps).body
    assert b"<script>" not in page
    assert b"&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("sign_in_away", "temporarily_unavailable"),
        ("overloaded", "temporarily_unavailable"),
        ("framing", "invalid_request"),
    ],
)
async def test_a_client_gets_json_in_the_words_of_oauth(deps: Deps, reason: str, error: str) -> None:
    x = exchange({}, target="/oauth/token")
    answer = refused_page(x, Refusal(reason, retry_after=2, what="odd"), deps)
    said = json.loads(answer.body)
    assert (said["error"], said["request_id"]) == (error, x.request_id)
    assert said["error_description"]
    assert answer.media_type == "application/json"
