from __future__ import annotations

import json
from typing import Any

import pytest

from control.credentials.upstream_oauth.token_answer import Away, Granted, Refused, outcome_of
from control.providers.asking import Answer

URL = "https://as.example/token"
NOW = 1_000.0
GIVEN = {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "refresh_token": "rt", "scope": "a b"}


def answer(body: Any, status: int = 200, content_type: str = "application/json", retry_after: float = 0.0) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, content_type, retry_after, (), "", raw)


def outcome(body: Any, status: int = 200, content_type: str = "application/json") -> Any:
    return outcome_of(answer(body, status, content_type), URL, NOW)


def test_tokens_are_read() -> None:
    granted = outcome({**GIVEN, "id_token": "it"})
    assert granted == Granted(
        access_token="at", refresh_token="rt", id_token="it", expires_at=NOW + 60, scopes=("a", "b")
    )
    assert "at" not in repr(granted).lower().replace("granted", "")


@pytest.mark.parametrize(
    ("changes", "member", "value"),
    [
        ({"token_type": "bearer"}, "access_token", "at"),
        ({"token_type": "BEARER"}, "access_token", "at"),
        ({"token_type": None}, "access_token", "at"),
        ({"expires_in": "3600"}, "expires_at", NOW + 3600),
        ({"expires_in": 3600.0}, "expires_at", NOW + 3600),
        ({"expires_in": 0}, "expires_at", 0.0),
        ({"expires_in": -1}, "expires_at", 0.0),
        ({"expires_in": "soon"}, "expires_at", 0.0),
        ({"expires_in": "nan"}, "expires_at", 0.0),
        ({"expires_in": True}, "expires_at", 0.0),
        ({"expires_in": 1e300}, "expires_at", 0.0),
        ({"expires_in": None}, "expires_at", 0.0),
        ({"scope": "repo,read:user"}, "scopes", ("repo", "read:user")),
        ({"scope": ["a", "b"]}, "scopes", ("a", "b")),
        ({"scope": ""}, "scopes", None),
        ({"scope": None}, "scopes", None),
        ({"refresh_token": None}, "refresh_token", ""),
        ({"refresh_token": ""}, "refresh_token", ""),
        ({"refresh_token": "a b"}, "refresh_token", ""),
        ({"id_token": 5}, "id_token", ""),
        ({"error": ""}, "access_token", "at"),
        ({"error": None}, "access_token", "at"),
    ],
)
def test_what_providers_write_in_their_own_way_is_read(changes: dict[str, Any], member: str, value: object) -> None:
    assert getattr(outcome({**GIVEN, **changes}), member) == value


def test_a_form_is_read_where_a_provider_answers_with_one() -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        granted = outcome(b"access_token=gho_1&scope=repo%2Cgist&token_type=bearer", 200, kind)
        assert granted == Granted(access_token="gho_1", scopes=("repo", "gist"))
        assert outcome(b"error=bad_verification_code&error_description=x", 200, kind).is_invalid_grant


@pytest.mark.parametrize(
    "error",
    ["invalid_grant", "bad_refresh_token", "bad_verification_code", "invalid_refresh_token", "token_revoked"],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_a_grant_that_is_good_no_more_is_told_whatever_the_status(error: str, status: int) -> None:
    refused = outcome({"error": error, "error_description": "token at is bad"}, status)
    assert isinstance(refused, Refused)
    assert refused.is_invalid_grant
    assert (refused.error, refused.status) == (error, status)
    assert "token at" not in refused.sentence


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": "invalid_client"}, 401),
        ({"error": "incorrect_client_credentials"}, 200),
        ({"error": "invalid_scope"}, 400),
        ({"error": "<script>"}, 400),
        ({"message": "no"}, 400),
        ({"error": {"code": 5}}, 200),
    ],
)
def test_other_refusals_say_nothing_of_what_the_person_gave(body: dict[str, Any], status: int) -> None:
    refused = outcome(body, status)
    assert isinstance(refused, Refused)
    assert not refused.is_invalid_grant
    assert "<" not in refused.sentence


@pytest.mark.parametrize(
    "changes",
    [{"access_token": None}, {"access_token": "a b"}, {"access_token": "a\n"}, {"access_token": "\xff"},
     {"access_token": "a" * 20_000}, {"token_type": "DPoP"}, {"token_type": "N_A"}, {"token_type": 5}],
)  # fmt: skip
def test_what_cannot_be_sent_as_a_bearer_token_is_not_taken(changes: dict[str, Any]) -> None:
    assert outcome({**GIVEN, **changes}).error == "no_bearer_token"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": "invalid_grant"}, 500, "application/json"),
        ({"error": "invalid_grant"}, 503, "application/json"),
        ({"error": "invalid_grant"}, 429, "application/json"),
        ({"error": "invalid_grant"}, 404, "application/json"),
        ({"error": "temporarily_unavailable"}, 400, "application/json"),
        ({"error": "slow_down"}, 400, "application/json"),
        (GIVEN, 302, "application/json"),
        (b"<html>Sign in to the Wi-Fi</html>", 200, "text/html"),
        (b"<html>no</html>", 400, "text/html"),
        (b"<html>no</html>", 403, "text/html"),
        (b"", 401, ""),
        (b"busy", 200, "text/plain"),
        (b"error=invalid_grant", 400, "text/html"),
        (b"[]", 200, "application/json"),
        (b"\xff", 200, "text/plain"),
    ],
)
def test_what_is_no_word_of_the_provider_signs_nobody_out(body: Any, status: int, kind: str) -> None:
    assert isinstance(outcome(body, status, kind), Away)


def test_a_provider_says_when_it_wants_to_be_asked_again() -> None:
    away = outcome_of(answer({}, 429, retry_after=30.0), URL, NOW)
    assert isinstance(away, Away)
    assert away.retry_after == 30.0
    assert "as.example" in away.why
