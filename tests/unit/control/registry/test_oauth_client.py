"""Rules about OAuth clients: what an admin's may be, what is told of one, whom a gateway lets in."""

from __future__ import annotations

from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.oauth_client import (
    ClientFields,
    OAuthClient,
    check_registered,
    client_warnings,
    may_call,
    principal_of,
    shown_name,
    told_of_client,
)
from core.resolve import Principal
from tests.fakes.registry import MADE_AT

WEB: dict[str, Any] = {"name": "Web", "redirect_uris": ("https://client.example.com/cb",)}
ITSELF: dict[str, Any] = {"name": "Nightly", "acts": "by_itself", "auth_method": "client_secret_basic"}


@pytest.mark.parametrize(
    "fields",
    [WEB, ITSELF, {**ITSELF, "team_id": "t1"}, {**ITSELF, "auth_method": "private_key_jwt", "jwks_uri": "https://a/b"},
     {**WEB, "auth_method": "private_key_jwt", "jwks": {"keys": [{}]}}],
)  # fmt: skip
def test_a_client_that_fits_together_is_one(fields: dict[str, Any]) -> None:
    check_registered(ClientFields(**fields))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({**ITSELF, "auth_method": "none"}, "auth_method"),
        ({**ITSELF, "redirect_uris": ("https://a/b",)}, "redirect_uris"),
        ({**WEB, "team_id": "t1"}, "team_id"),
        ({"name": "Web"}, "redirect_uris"),
        ({**WEB, "redirect_uris": ("https://a.example/b", "http://evil.example")}, r"redirect_uris\[1\]"),
        ({**WEB, "redirect_uris": tuple(f"https://a.example/{one}" for one in range(21))}, "redirect_uris"),
        ({**WEB, "auth_method": "private_key_jwt"}, "jwks"),
        ({**WEB, "auth_method": "private_key_jwt", "jwks": {"keys": []}, "jwks_uri": "https://a/b"}, "jwks"),
        ({**WEB, "jwks_uri": "https://a/b"}, "jwks"),
        ({**ITSELF, "auth_method": "private_key_jwt", "jwks_uri": "http://a/b"}, "jwks_uri"),
    ],
)
def test_a_client_that_does_not_is_refused_by_the_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(BrokenRule, match=named):
        check_registered(ClientFields(**fields))


def test_nothing_secret_is_told_of_a_client() -> None:
    client = OAuthClient(
        **WEB, id="c1", client_id="c1", kind="registered", secret_digest="d" * 64, content_digest="e" * 64,
        created_at=MADE_AT, updated_at=MADE_AT, last_used_at=None, disabled_at=None, version=1,
    )  # fmt: skip
    told = told_of_client(client)
    assert told["has_secret"] is True
    assert "d" * 64 not in str(told)
    assert "e" * 64 not in str(told)


@pytest.mark.parametrize(("fields", "warned"), [(WEB, False), (ITSELF, True), ({**ITSELF, "team_id": "t1"}, False)])
def test_a_client_that_acts_by_itself_in_no_team_is_warned_of(fields: dict[str, Any], warned: bool) -> None:
    client = OAuthClient(
        **fields, id="c1", client_id="c1", kind="registered", secret_digest="d" * 64, content_digest="e" * 64,
        created_at=MADE_AT, updated_at=MADE_AT, last_used_at=None, disabled_at=None, version=1,
    )  # fmt: skip
    assert ["--team TEAM" in one for one in client_warnings(client)] == [True] * warned


@pytest.mark.parametrize(("allowed", "lets_in"), [((), True), (("c1",), True), (("c2",), False)])
def test_a_gateway_lets_in_whom_it_names_or_everybody(allowed: tuple[str, ...], lets_in: bool) -> None:
    assert may_call("c1", allowed) is lets_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Claude", "Claude"), ("  a\n\tb ", "a b"), ("a\u202eb", "a b"), ("", "none"), ("\0", "none"), (None, "none"),
     (7, "none"), ("n" * 500, "n" * 128)],
)  # fmt: skip
def test_a_name_is_one_line_that_a_person_can_read(text: object, shown: str) -> None:
    assert shown_name(text, "none") == shown


def test_a_client_by_itself_is_a_member_of_its_team_and_of_no_other() -> None:
    assert principal_of("c1", "Nightly", "t1") == Principal("service", "c1", "Nightly", frozenset({"t1"}))
    assert principal_of("c1", "Nightly", None).teams == frozenset()
