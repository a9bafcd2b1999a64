"""What a provider gave becomes an account, which is refreshed ahead of its end where that goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from control.accounts.given import Given, given_of, new_account
from control.credentials.upstream_oauth.account import AccountName
from control.credentials.upstream_oauth.token_answer import Granted
from control.registry.account import NewAccount
from tests.fakes.upstream_clients import a_client, a_server

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def given(**changes: Any) -> Given:
    usual: dict[str, Any] = {
        "access_token": "access-secret", "refresh_token": "refresh-secret", "expires_at": NOW.timestamp() + 3600,
        "scopes": ("read",), "account_name": "octocat", "subject": "1",
    }  # fmt: skip
    return Given(**{**usual, **changes})


def account(**changes: Any) -> NewAccount:
    return new_account(given(**changes), a_server(), a_client(), client_row=None, place="here", resource="", now=NOW)


def test_it_comes_back_whole_from_how_it_is_sealed_and_shows_no_secret() -> None:
    assert msgspec.json.decode(msgspec.json.encode(given()), type=Given) == given()
    assert "secret" not in repr(given())


def test_what_was_asked_for_was_granted_where_the_provider_does_not_say() -> None:
    whose = AccountName("octocat", "1")
    assert given_of(Granted(access_token="at"), whose, ("asked",)).scopes == ("asked",)
    assert given_of(Granted(access_token="at", scopes=()), whose, ("asked",)).scopes == ()


def test_an_account_is_of_the_client_that_it_was_given_to() -> None:
    made, server = account(), a_server()
    assert (made.issuer, made.token_endpoint, made.client_id) == (server.issuer, server.token_endpoint, "archway")
    assert (made.place, made.account_name, made.subject) == ("here", "octocat", "1")


def test_an_account_is_refreshed_ahead_of_its_end_and_not_all_at_one_moment() -> None:
    ends = NOW + timedelta(hours=1)
    found = {account(expires_at=ends.timestamp()).refresh_at for _ in range(50)}
    assert len(found) > 1
    assert all(ends - timedelta(minutes=10) <= one < ends for one in found if one)


def test_a_short_life_is_refreshed_in_its_second_half() -> None:
    ends = NOW + timedelta(seconds=60)
    found = account(expires_at=ends.timestamp()).refresh_at
    assert found is not None
    assert NOW + timedelta(seconds=30) < found < ends


def test_without_a_refresh_token_nobody_refreshes() -> None:
    assert account(refresh_token="").refresh_at is None
    assert account(expires_at=0.0).refresh_at is None
