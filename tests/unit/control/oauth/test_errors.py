"""Refusals in the words of the protocol."""

from __future__ import annotations

from typing import get_args

import pytest

from control.oauth.errors import STATUS, Code, NotSentBack, OAuthRefused, invalid_grant, invalid_request


@pytest.mark.parametrize("code", get_args(Code))
def test_every_word_has_a_status_and_says_itself(code: Code) -> None:
    refused = OAuthRefused(code, "A sentence.", cure="a cure")
    assert refused.status in {400, 401, 429, 503}
    assert refused.document() == {"error": code, "error_description": "A sentence."}
    assert refused.allow_redirect


def test_a_status_stands_for_a_word_that_there_is() -> None:
    assert set(STATUS) <= set(get_args(Code))


def test_who_is_not_sent_back_reads_it_here() -> None:
    assert not NotSentBack("invalid_client", "No.").allow_redirect


def test_the_two_usual_refusals() -> None:
    assert (invalid_grant("No.").code, invalid_request("No.").code) == ("invalid_grant", "invalid_request")
    assert invalid_grant("No.").cure
