"""What a proxy's words mean to whoever could not sign in."""

from __future__ import annotations

from typing import get_args

import pytest

from control.registry.sign_in_refusals import refusal_told
from core.jwt import Why
from tests.fakes.registry import a_gateway

URL = "https://mcp.example.com"
WORDS = (
    "no_sign_in", "token_for_api", "scope_missing", "way_not_accepted", "gateway_unknown", "too_many_unknown",
    "cannot_authenticate", "host_unknown", "origin_foreign",
)  # fmt: skip
"""As `proxy/answers/sign_in_steps.py` has them; what a token lacks is told beside `not_authenticated`."""


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_a_sentence_of_its_own_and_a_cure(word: str) -> None:
    reason, cure = refusal_told(word, "", a_gateway(slug="desk"), URL)
    assert reason.endswith(".")
    assert cure
    assert "errors.md" not in cure


@pytest.mark.parametrize("why", ["malformed", "refused", *get_args(Why), "what a later version says"])
def test_whatever_is_wrong_with_a_token_has_a_cure(why: str) -> None:
    reason, cure = refusal_told("not_authenticated", why, a_gateway(slug="desk"), URL)
    assert reason.startswith(("Its token", "What it sent"))
    assert cure


def test_a_name_of_no_gateway_is_told_before_all_that_may_be_wrong_with_a_token() -> None:
    reason, cure = refusal_told("not_authenticated", "issuer", None, URL)
    assert reason == "There is no gateway of this name."
    assert f"{URL}/v1/mcp/NAME" in cure


def test_a_person_who_may_not_see_the_gateway_is_helped_by_one_of_their_teams() -> None:
    reason, cure = refusal_told("gateway_unknown", "", a_gateway(slug="desk"), URL)
    assert reason == "The caller may not see the gateway desk."
    assert "archway gateways update desk --add-team TEAM" in cure


def test_a_host_that_is_not_ours_is_told_before_the_gateway_which_was_never_looked_at() -> None:
    assert URL in refusal_told("host_unknown", "", None, URL)[1]
