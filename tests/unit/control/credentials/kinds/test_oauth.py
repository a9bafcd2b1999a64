from typing import Any

import pytest

from control.credentials.kinds import oauth
from control.registry.broken_rule import BrokenRule
from control.registry.credential import OAuthCredential
from control.registry.targets import header
from core.egress.addresses import ANYWHERE

GITHUB: dict[str, Any] = {"client_id": "abc", "issuer": "https://github.com/login/oauth"}


def test_an_entry_may_say_nothing_and_leave_all_to_the_server() -> None:
    checked = oauth.check(OAuthCredential(), ANYWHERE)
    assert checked.credential == OAuthCredential()
    assert checked.fills == (header("authorization"),)


def test_the_access_token_is_the_one_thing_that_a_request_carries() -> None:
    secrets = {"access_token": "abc", "credential": "other"}
    assert oauth.headers(OAuthCredential(), secrets) == [("authorization", "Bearer abc")]


def test_no_credential_is_given_since_people_sign_in() -> None:
    assert oauth.take(OAuthCredential(), None, {}, "GitHub") == {}
    with pytest.raises(BrokenRule, match="sign in at its provider"):
        oauth.take(OAuthCredential(), "s3cret", {}, "GitHub")


def test_addresses_are_kept_in_their_one_form() -> None:
    given = OAuthCredential(token_endpoint="HTTPS://GitHub.com:443/login/token", **GITHUB)
    checked = oauth.check(given, ANYWHERE).credential
    assert isinstance(checked, OAuthCredential)
    assert checked.token_endpoint == "https://github.com/login/token"  # an address


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"registration": "own"}, r"client_id: is needed"),
        ({"registration": "dynamic", **GITHUB}, r"registration: must be 'own' or 'auto'"),
        ({"client_id": "abc"}, r"issuer: is needed with a client of your own"),
        ({"client_authentication": "private_key_jwt", **GITHUB}, r"client_authentication: 'private_key_jwt' is for"),
        ({"token_endpoint": "http://github.com/token"}, r"token_endpoint: must begin with https"),
        ({"token_endpoint": "javascript:alert(1)"}, r"token_endpoint"),
        ({"authorization_endpoint": "file:///etc/passwd"}, r"authorization_endpoint"),
        ({"issuer": "https://login.test/?a=b"}, r"issuer: must have no"),
        ({"resource": "https://mcp.test/#a"}, r"resource: must be a URL"),
        ({"scopes": ("repo", "two words")}, r"scopes\[1\]: must be one scope"),
        ({"scopes": ("",)}, r"scopes\[0\]"),
        ({"authorize_parameters": {"state": "x"}}, r"must not have 'state'"),
        ({"authorize_parameters": {"a b": "x"}}, r"has a name that is none"),
        ({"authorize_parameters": {"prompt": "a\nb"}}, r"must be one line"),
        ({"approved_hosts": ("https://a.test/path",)}, r"approved_hosts\[0\]: must be an origin alone"),
        ({"approved_hosts": ("http://a.test",)}, r"approved_hosts\[0\]: must begin with https"),
        ({"account_endpoint": "https://api.github.com/user"}, r"account_claim: goes together"),
        ({"account_claim": "login"}, r"account_claim: goes together"),
    ],
)
def test_what_does_not_fit_together_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(BrokenRule, match=named):
        oauth.check(OAuthCredential(**settings), ANYWHERE)


def test_origins_are_kept_once_each() -> None:
    given = OAuthCredential(approved_hosts=("https://A.test", "https://a.test:443/"))
    checked = oauth.check(given, ANYWHERE).credential
    assert isinstance(checked, OAuthCredential)
    assert checked.approved_hosts == ("https://a.test",)


def test_no_secret_of_the_row_can_be_missing() -> None:
    assert oauth.cure(OAuthCredential(), ()) is None
