from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from control.identity.kept_state import AHEAD_S, FRESH_S, Asked, Due, NotKept, judged, why_none
from control.identity.token_endpoint import ProviderTokens
from tests.fakes.providers import a_provider

NOW = 1_000_000.0
AT = "https://archway.test/sign-in/oidc/corp"


def id_token(exp: float) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
        for one in ({"alg": "RS256", "kid": "a"}, {"iss": "https://idp.test", "exp": exp})
    ]
    return f"{parts[0]}.{parts[1]}.c2ln"


def tokens(**changes: Any) -> ProviderTokens:
    usual: dict[str, Any] = {
        "access_token": "a", "id_token": id_token(NOW + 600), "refresh_token": "r", "expires_at": NOW + 600,
        "obtained_at": NOW - 600,
    }  # fmt: skip
    return ProviderTokens(**{**usual, **changes})


def of(kept: ProviderTokens, *, refreshed: bool = False, **asked: Any) -> ProviderTokens | NotKept | Due:
    usual: dict[str, Any] = {"wants": "access_token", "newer_than": 0.0, "now": NOW, "sign_in": AT}
    return judged(a_provider(), kept, Asked(**{**usual, **asked}), refreshed=refreshed)


GIVEN = object()
DUE, MEANWHILE = "due", "due, and good for a while"


@pytest.mark.parametrize(
    ("changes", "asked", "expected"),
    [
        ({}, {}, GIVEN),
        ({"expires_at": 0.0}, {}, GIVEN),
        ({"expires_at": NOW + AHEAD_S}, {}, MEANWHILE),
        ({"expires_at": NOW}, {}, DUE),
        ({"access_token": ""}, {}, DUE),
        ({}, {"newer_than": NOW - 600}, DUE),
        ({}, {"newer_than": NOW - 601}, GIVEN),
        ({"obtained_at": NOW - FRESH_S + 1}, {"newer_than": NOW}, GIVEN),
        ({"expires_at": NOW}, {"wants": "id_token"}, GIVEN),
        ({"id_token": id_token(NOW)}, {"wants": "id_token"}, DUE),
        ({"id_token": id_token(NOW)}, {}, GIVEN),
        ({"id_token": id_token(NOW + AHEAD_S), "id_token_is_older": True}, {"wants": "id_token"}, MEANWHILE),
        ({"id_token": id_token(NOW), "id_token_is_older": True}, {"wants": "id_token"}, "gives an ID token then"),
        ({"id_token": "no token", "id_token_is_older": True}, {"wants": "id_token"}, "gives an ID token then"),
        ({"refresh_token": "", "expires_at": NOW + 1}, {}, GIVEN),
        ({"refresh_token": "", "expires_at": NOW}, {}, "gives nothing to renew it"),
        ({"refresh_token": ""}, {"newer_than": NOW - 600}, "gives nothing to renew it"),
    ],
    ids=[
        "lives",
        "without an end",
        "ends within a minute",
        "has ended",
        "was not believed",
        "is refused",
        "is newer than the refused one",
        "is refused and fresh",
        "only the wanted one counts",
        "an ID token has ended",
        "an ID token that nobody wants has ended",
        "an older ID token ends soon",
        "an older ID token has ended",
        "an ID token that is none",
        "lives, and is the last",
        "has ended, and was the last",
        "is refused, and was the last",
    ],
)
def test_what_is_given(changes: dict[str, Any], asked: dict[str, Any], expected: object) -> None:
    kept = tokens(**changes)
    found = of(kept, **asked)
    if isinstance(found, Due):
        assert expected == (DUE if found.meanwhile is None else MEANWHILE)
    elif isinstance(found, NotKept):
        assert found.why == "not_kept"
        assert isinstance(expected, str)
        assert expected in found.sentence
        assert f"Sign in again at {AT}" in found.sentence
    else:
        assert (found, expected) == (kept, GIVEN)


def test_what_came_just_now_is_given_if_it_lives_at_all() -> None:
    short = tokens(expires_at=NOW + 5, obtained_at=NOW)
    assert of(short, refreshed=True, newer_than=NOW) == short


def test_what_came_just_now_and_has_ended_already_is_not_refreshed_again() -> None:
    found = of(tokens(expires_at=NOW - 5), refreshed=True)
    assert isinstance(found, NotKept)
    assert found.why == "away"


def test_a_provider_that_was_not_asked_for_offline_access_may_give_more_with_it() -> None:
    told = Asked("access_token", 0.0, NOW, AT)
    ended = tokens(refresh_token="", expires_at=NOW)
    asked_for_it = judged(a_provider(scopes=("openid", "offline_access")), ended, told, refreshed=False)
    without = judged(a_provider(scopes=("openid",)), ended, told, refreshed=False)
    assert isinstance(asked_for_it, NotKept)
    assert isinstance(without, NotKept)
    assert "offline_access" not in asked_for_it.sentence
    assert "offline_access" in without.sentence


def test_whoever_cannot_sign_in_with_it_is_told_to_call_with_its_token_and_not_where_to_sign_in() -> None:
    none = why_none(a_provider(sign_in=False), None, AT)
    assert none is not None
    assert "call with a token of" in none.sentence
    assert AT not in none.sentence
    off = why_none(a_provider(enabled=False), None, AT)
    assert off is not None
    assert "switched off" in off.sentence
