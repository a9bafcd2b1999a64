from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.registry.account import (
    Account,
    AccountTokens,
    client_place,
    client_place_in,
    earlier_place_of,
    is_placed_at,
    place_of,
    url_in,
)
from control.registry.credential import ClientCredentials, OAuthCredential
from tests.fakes.registry import an_account, an_entry

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = "https://github.test"
URL = "https://github.test/mcp"


def test_a_token_lives_until_shortly_before_its_end() -> None:
    account = an_account(expires_at=NOW + timedelta(seconds=11))
    assert account.lives_at(NOW)
    assert not account.lives_at(NOW + timedelta(seconds=1))


def test_a_token_without_an_end_lives_until_the_provider_says_otherwise() -> None:
    assert an_account(expires_at=None).lives_at(NOW)
    assert not an_account(expires_at=None, refused_at=NOW).lives_at(NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://other.test"},
        {"token_endpoint": "https://other.test/token"},
        {"revocation_endpoint": "https://other.test/revoke"},
        {"resource": "https://other.test"},
        {"client_id": "other"},
        {"account_endpoint": "https://other.test/user"},
    ],
)
def test_the_place_of_an_account_is_another_when_its_provider_is(changed: dict[str, str]) -> None:
    before, after = an_entry(credential=OAuthCredential()), an_entry(credential=OAuthCredential(**changed))
    assert place_of(before, URL) != place_of(after, URL)
    assert place_of(before, URL) == place_of(an_entry(credential=OAuthCredential(scopes=("more",))), URL)


@pytest.mark.parametrize("url", ["https://other.test/mcp", "https://github.test/mcp/other", f"{URL}?of=other"])
def test_the_place_of_an_account_is_another_when_its_server_is(url: str) -> None:
    entry = an_entry(credential=OAuthCredential())
    assert place_of(entry, URL) != place_of(entry, url)


def test_an_account_whose_place_has_only_an_origin_is_for_the_one_url_that_is_known_of_it() -> None:
    entry = an_entry(credential=OAuthCredential())
    earlier = an_account(place=earlier_place_of(entry, URL), earlier_url=URL)
    assert is_placed_at(earlier, entry, URL)
    assert not is_placed_at(earlier, entry, f"{URL}/other")
    assert not is_placed_at(replace(earlier, earlier_url=""), entry, URL)
    assert not is_placed_at(earlier, an_entry(credential=OAuthCredential(issuer="https://other.test")), URL)


def test_a_place_says_where_its_server_is_and_where_its_clients_secret_goes_however_it_is_written() -> None:
    credential = OAuthCredential(client_id="a", issuer="https://a.test")
    entry = an_entry("https://{region}.github.test/mcp", credential=credential)
    new, earlier = (of(entry, "https://eu.github.test/mcp") for of in (place_of, earlier_place_of))
    assert (url_in(new), url_in(earlier)) == ("https://eu.github.test/mcp", "https://eu.github.test")
    assert client_place_in(new) == client_place(credential, "https://{region}.github.test")
    assert client_place_in(earlier) == client_place(credential, "https://eu.github.test")


def test_a_clients_own_account_has_a_place_too() -> None:
    one, other = ClientCredentials(issuer="https://a.test"), ClientCredentials(issuer="https://b.test")
    assert place_of(an_entry(credential=one), URL) != place_of(an_entry(credential=other), URL)


def test_the_secret_of_a_client_is_for_one_client_at_one_provider() -> None:
    one = OAuthCredential(client_id="a", issuer="https://a.test")
    others = [
        OAuthCredential(client_id="b", issuer="https://a.test"),
        OAuthCredential(client_id="a", issuer="https://b.test"),
    ]
    assert client_place(one, ORIGIN) not in {client_place(other, ORIGIN) for other in others}


def test_tokens_are_not_shown() -> None:
    assert repr(AccountTokens("s3cret", "more")) == "AccountTokens()"
    assert "sealed" not in repr(replace(an_account(), tokens=b"sealed"))


def test_all_that_says_where_tokens_may_go_is_bound_in() -> None:
    account: Account = an_account()
    for name in ("place", "issuer", "token_endpoint", "revocation_endpoint", "resource"):
        assert replace(account, **{name: "https://other.test"}).bound_to != account.bound_to
