import pytest
from msgspec.structs import replace

from control.credentials.kinds import id_jag
from control.registry.broken_rule import BrokenRule
from control.registry.credential import IdentityAssertion
from control.registry.targets import header
from core.egress.addresses import ANYWHERE

ASSERTED = IdentityAssertion("p", "https://as.test", "us")


def test_it_fills_the_one_header_and_asks_for_nothing() -> None:
    checked = id_jag.check(ASSERTED, ANYWHERE)
    assert (checked.fills, checked.asks) == ((header("authorization"),), ())
    assert (id_jag.places(ASSERTED), id_jag.cure(ASSERTED, ())) == ({}, None)


def test_a_request_carries_the_callers_token_and_without_a_caller_nothing() -> None:
    assert id_jag.headers(ASSERTED, {"access_token": "abc"}) == [("authorization", "Bearer abc")]
    assert id_jag.headers(ASSERTED, {}) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"issuer": ""}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"issuer": "https://as.test/?a=b"}, "issuer"),
        ({"issuer": "http://as.test"}, "issuer"),
        ({"token_endpoint": "http://as.test/token"}, "token_endpoint"),
        ({"scopes_at_server": "named"}, "server_scopes"),
        ({"server_scopes": ("read",)}, "server_scopes"),
        ({"scopes": ("a b",)}, r"scopes\[0\]"),
        ({"approved_hosts": ("https://a.test/path",)}, r"approved_hosts\[0\]"),
    ],
)
def test_what_does_not_name_one_authorization_server_is_refused(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(BrokenRule, match=f"credential_placement.{field}"):
        id_jag.check(replace(ASSERTED, **wrong), ANYWHERE)


def test_an_installation_brings_no_secret() -> None:
    assert id_jag.take(ASSERTED, None, {}, "CRM") == {}
    with pytest.raises(BrokenRule, match="is not accepted by CRM"):
        id_jag.take(ASSERTED, "s", {}, "CRM")
