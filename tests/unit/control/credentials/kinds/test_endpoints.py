import pytest

from control.credentials.kinds import endpoints
from control.registry.broken_rule import BrokenRule
from core.egress.addresses import ANYWHERE, AddressPolicy


def test_no_address_stays_none() -> None:
    assert endpoints.checked("", "f", ANYWHERE) == ""


def test_plain_http_is_for_this_machine_alone() -> None:
    assert endpoints.checked("http://127.0.0.1:9/token", "f", ANYWHERE) == "http://127.0.0.1:9/token"
    with pytest.raises(BrokenRule, match="f: must begin with https"):
        endpoints.checked("http://login.test/token", "f", ANYWHERE)


def test_an_address_that_the_operator_did_not_open_is_refused() -> None:
    with pytest.raises(BrokenRule, match="f: "):
        endpoints.checked("https://10.1.2.3/token", "f", AddressPolicy())


@pytest.mark.parametrize("resource", ["", "omit", "https://mcp.test/mcp", "api://1234", "urn:mcp:crm"])
def test_what_tokens_are_for_may_be_any_absolute_uri(resource: str) -> None:
    assert endpoints.checked_resource(resource, "f") == resource


@pytest.mark.parametrize("resource", ["https://mcp.test#a", "mcp", "https://mcp.test/a b", "https://mcp.test/\n"])
def test_a_resource_that_could_not_be_sent_is_refused(resource: str) -> None:
    with pytest.raises(BrokenRule, match="f: must be a URL"):
        endpoints.checked_resource(resource, "f")


@pytest.mark.parametrize("scope", ["", "a b", 'a"b', "a\\b", "ä", "a\n"])
def test_what_is_no_scope_is_named_by_its_place(scope: str) -> None:
    with pytest.raises(BrokenRule, match=r"f\[1\]"):
        endpoints.check_scopes(("ok", scope), "f")
