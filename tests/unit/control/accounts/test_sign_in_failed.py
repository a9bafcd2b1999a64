"""Each way in which a sign-in comes to nothing has a sentence of its own, with what to do."""

from __future__ import annotations

import pytest

from control.accounts import sign_in_failed as failed
from control.credentials.upstream_oauth.token_answer import Away, Refused
from control.providers.browser_round import BadReturn

WAYS = {
    "state": failed.not_known(),
    "other browser": failed.of_another("x"),
    "replay": failed.replayed("/install/x", "x"),
    "moved": failed.moved("Hosted", "/install/x"),
    "denied": failed.bad_return(BadReturn("denied", "s"), "id.example.com", "/install/x"),
    "issuer": failed.bad_return(BadReturn("issuer", "s"), "id.example.com", "/install/x"),
    "server_error": failed.bad_return(BadReturn("refused", "s", "server_error"), "id.example.com", "/install/x"),
    "no code": failed.bad_return(BadReturn("no_code", "s"), "id.example.com", "/install/x"),
    "away": failed.not_redeemed(Away(why="nobody answers"), "/install/x"),
    "spent code": failed.not_redeemed(Refused(error="invalid_grant"), "/install/x"),
    "bad client": failed.not_redeemed(Refused(error="invalid_client", sentence="refused"), "/install/x"),
}


def test_no_two_ways_have_one_sentence() -> None:
    assert len({str(one) for one in WAYS.values()}) == len(WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_each_sentence_says_what_to_do(way: str) -> None:
    said = str(WAYS[way])
    assert any(word in said for word in ("egin again", "Try again", "opens the link", "An admin can"))


def test_cause_and_cure_are_told_apart_for_those_who_list_them() -> None:
    for one in WAYS.values():
        assert str(one) == f"{one.cause} {one.cure}"
        assert one.cause.endswith(".")
        assert one.cure


def test_the_providers_own_word_is_repeated_and_nothing_else_of_it() -> None:
    assert "server_error" in str(WAYS["server_error"])
