from __future__ import annotations

from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import ProviderFields, RoleRule, TeamRule
from control.registry.provider_rules import audience_for, check_provider, higher_of, lower_of, may_be_plain
from core.egress.addresses import AddressPolicy, parse_networks
from tests.fakes.providers import provider_fields

PUBLIC = AddressPolicy()
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


def checked(*, has_secret: bool = True, **changes: Any) -> ProviderFields:
    return check_provider(provider_fields(**changes), PUBLIC, has_secret=has_secret)


def refused(*, has_secret: bool = True, **changes: Any) -> str:
    with pytest.raises(BrokenRule) as broken:
        checked(has_secret=has_secret, **changes)
    return broken.value.field


def test_a_usual_provider_can_be_saved() -> None:
    assert checked() == provider_fields()


@pytest.mark.parametrize(
    "issuer",
    ["https://id.example.com/", "https://id.example.com/realms/corp", "https://id.example.com:8443/a/"],
)
def test_an_issuer_is_kept_as_its_tokens_name_it(issuer: str) -> None:
    assert checked(issuer=issuer).issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example.com", "https://ID.example.com", "https://id.example.com:443", "https://id.example.com/?a=b",
        "https://127.0.0.1", "https://169.254.169.254", "https://a:b@id.example.com", "https://id.example.com#x",
        "id.example.com", "", "https://id.example.com/" + "a" * 600,
    ],
)  # fmt: skip
def test_what_can_be_no_issuer_is_refused(issuer: str) -> None:
    assert refused(issuer=issuer) == "issuer"


def test_an_issuer_on_this_machine_may_be_plain_where_the_operator_opened_it() -> None:
    wanted = provider_fields(issuer="http://127.0.0.1:9400")
    assert check_provider(wanted, LOOPBACK, has_secret=True).issuer == "http://127.0.0.1:9400"
    assert refused(issuer="http://127.0.0.1:9400") == "issuer"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": ""}, "client_id"),
        ({"scopes": ("email",)}, "scopes"),
        ({"scopes": ("openid", "two words")}, "scopes[1]"),
        ({"audiences": ("archway",)}, "audiences"),
        ({"algorithms": ()}, "algorithms"),
        ({"authorize_parameters": {"state": "x"}}, "authorize_parameters"),
        ({"authorize_parameters": {"a": "b\n"}}, "authorize_parameters"),
        ({"allowed_domains": ("@corp.test",)}, "allowed_domains[0]"),
        ({"allowed_domains": ("corp",)}, "allowed_domains[0]"),
        ({"create_people": True, "allowed_domains": ()}, "allowed_domains"),
        ({"team_rules": (TeamRule("eng", "t"),)}, "teams_claim"),
        ({"role_rules": (RoleRule("x", "member"),)}, "roles_claim"),
        ({"role_rules": (RoleRule("x", "admin"),), "roles_claim": "roles"}, "role_rules[0].role"),
        (
            {"role_rules": (RoleRule("x", "editor"),), "roles_claim": "r", "highest_role": "member"},
            "role_rules[0].role",
        ),
        ({"approved_hosts": ("https://a.test/path",)}, "approved_hosts[0]"),
        ({"approved_hosts": ("a.test",)}, "approved_hosts[0]"),
        ({"slug": "Corp"}, "slug"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(changes: dict[str, Any], field: str) -> None:
    assert refused(**changes) == field


def test_a_client_that_has_no_secret_is_a_public_one() -> None:
    assert refused(has_secret=False) == "client_secret"
    assert checked(has_secret=False, client_authentication="none").client_authentication == "none"


def test_a_provider_that_nobody_signs_in_with_needs_no_client() -> None:
    assert checked(has_secret=False, sign_in=False, client_id="", scopes=()).sign_in is False


def test_lists_are_kept_in_one_form() -> None:
    made = checked(
        allowed_domains=("Corp.test", "a.test", "corp.test"), approved_hosts=("https://B.test:443", "https://a.test")
    )
    assert made.allowed_domains == ("a.test", "corp.test")
    assert made.approved_hosts == ("https://a.test", "https://b.test")


def test_a_gateway_takes_tokens_for_one_of_the_providers_audiences_alone() -> None:
    two = provider_fields(audiences=("api://a", "api://b"))
    assert audience_for("api://b", two) == "api://b"
    assert audience_for("", provider_fields(audiences=("api://a",))) == "api://a"
    for audience, provider in (("", two), ("api://c", two), ("api://A", two), ("", provider_fields())):
        with pytest.raises(BrokenRule):
            audience_for(audience, provider)


def test_a_gateway_that_takes_assertions_alone_needs_no_audience_where_there_is_no_only_one() -> None:
    assert audience_for("", provider_fields(), takes_assertions=True) == ""
    assert audience_for("", provider_fields(audiences=("api://a",)), takes_assertions=True) == "api://a"
    assert audience_for("", provider_fields(audiences=("api://a", "api://b")), takes_assertions=True) == ""


def test_whoever_names_none_of_several_audiences_is_told_all_of_them() -> None:
    with pytest.raises(BrokenRule, match="api://a, api://b"):
        audience_for("", provider_fields(audiences=("api://a", "api://b")))


def test_of_two_roles_the_lower_holds_less_and_the_higher_more() -> None:
    assert lower_of("admin", "member") == "member"
    assert lower_of("editor", "admin") == "editor"
    assert higher_of("admin", "member") == "admin"
    assert higher_of("editor", "admin") == "admin"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://127.0.0.1:9400/x", True),
        ("http://localhost", True),
        ("http://[::1]:1/", True),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.2/", False),
    ],
)
def test_plain_http_is_for_this_machine(url: str, plain: bool) -> None:
    assert may_be_plain(url) is plain
