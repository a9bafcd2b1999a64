from __future__ import annotations

from typing import Any

import pytest

from control.identity.claims import client_and_scopes, domain_of, person_of
from control.registry.identity_provider import IdentityProvider, RoleRule, TeamRule
from tests.fakes.providers import ISSUER, a_provider

RULED = a_provider(
    teams_claim="groups",
    roles_claim="realm_access.roles",
    highest_role="editor",
    team_rules=(TeamRule("eng", "t1"), TeamRule("leads", "t1", "admin"), TeamRule("ops", "t2")),
    role_rules=(RoleRule("curator", "editor"),),
)


def said(**claims: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "sub": "ann", **claims}


def read(provider: IdentityProvider = RULED, *, complete: bool = True, **claims: Any) -> Any:
    return person_of(provider, said(**claims), complete=complete)


def test_a_person_is_known_by_issuer_and_subject() -> None:
    person = read(email="ann@corp.test", email_verified=True, name="Ann")
    assert (person.issuer, person.subject, person.email, person.name) == (ISSUER, "ann", "ann@corp.test", "Ann")


@pytest.mark.parametrize(
    ("claims", "verified"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": False}, False),
        ({"email_verified": "false"}, False),
        ({"email_verified": 1}, False),
        ({"email_verified": ["true"]}, False),
        ({}, False),
    ],
    ids=["true", "the text true", "false", "the text false", "a number", "a list", "not said"],
)
def test_an_address_is_verified_where_the_provider_says_so(claims: dict[str, Any], verified: bool) -> None:
    assert read(**claims).email_verified is verified


NAMED = a_provider(email_claim="preferred_username")
"""Takes the address from a name, which people may choose for themselves at many a provider."""


@pytest.mark.parametrize(
    ("email", "verified"),
    [("mallory@corp.test", False), ("Boss@corp.test", True), (None, False)],
    ids=["another address was verified", "the same was", "there is no other"],
)
def test_that_one_address_is_verified_says_nothing_of_another(email: str | None, verified: bool) -> None:
    told = {"preferred_username": "boss@corp.test", "email": email, "email_verified": True}
    person = read(NAMED, **told)
    assert (person.email, person.email_verified) == ("boss@corp.test", verified)


def test_an_address_of_another_claim_may_be_assumed_to_be_verified_unless_something_is_denied() -> None:
    trusting = a_provider(email_claim="upn", assume_email_verified=True)
    assert read(trusting, upn="ann@corp.test").email_verified
    assert read(trusting, upn="ann@corp.test", email="a@b.test", email_verified=True).email_verified
    assert not read(trusting, upn="ann@corp.test", email_verified=False).email_verified


def test_what_is_not_said_may_be_assumed_and_what_is_denied_may_not() -> None:
    trusting = a_provider(assume_email_verified=True)
    assert read(trusting).email_verified
    assert not read(trusting, email_verified=False).email_verified


@pytest.mark.parametrize(
    "email",
    ["a@b@c", "ann", "@corp.test", "ann@", "ann @corp.test", "ann@corp.test\n", "änn@corp.test", 5, None, ["a@b.c"]],
)
def test_what_is_no_address_is_none(email: Any) -> None:
    assert read(email=email).email == ""


def test_a_name_is_one_line_of_usual_length() -> None:
    assert read(name=" Ann\u202e\nArcher ").name == "Ann Archer"
    assert len(read(name="a" * 500).name) == 128
    assert read(name={"first": "Ann"}).name == ""


def test_teams_are_those_of_the_rules_with_the_higher_role_of_two() -> None:
    assert read(groups=["eng", "leads", "others"]).teams == {"t1": "admin"}
    assert read(groups="ops").teams == {"t2": "member"}


@pytest.mark.parametrize("groups", [[], {"eng": True}, 5, [5, None, ["eng"]], "ENG", ["eng "]])
def test_other_values_give_no_team(groups: Any) -> None:
    assert read(groups=groups).teams == {}


def test_a_claim_that_is_not_there_takes_teams_only_where_the_claims_are_all_there_is() -> None:
    assert read().teams == {}
    assert read(complete=False).teams is None


def test_groups_that_are_kept_elsewhere_for_their_number_say_nothing() -> None:
    assert read(_claim_names={"groups": "src1"}).teams is None


def test_a_provider_without_a_claim_for_teams_says_nothing_of_teams() -> None:
    assert read(a_provider(), groups=["eng"]).teams is None


@pytest.mark.parametrize(
    ("roles", "role"),
    [(["curator"], "editor"), (["other"], "member"), ([], "member")],
    ids=["ruled", "other", "none"],
)
def test_a_role_comes_by_the_rules(roles: list[str], role: str) -> None:
    assert read(realm_access={"roles": roles}).role == role


def test_a_role_is_never_more_than_the_highest() -> None:
    # Such a rule cannot be saved; a row of another version may have it.
    lax = a_provider(roles_claim="roles", highest_role="member", role_rules=(RoleRule("x", "admin"),))
    assert read(lax, roles=["x"]).role == "member"


def test_without_rules_nothing_is_said_of_roles() -> None:
    assert read(a_provider(roles_claim="roles"), roles=["x"]).role is None


def test_a_domain_is_compared_in_lower_case() -> None:
    assert domain_of("Ann@CORP.Test") == "corp.test"


@pytest.mark.parametrize(
    ("claims", "client", "scopes"),
    [
        ({"azp": "cli", "client_id": "other", "scope": "mcp read"}, "cli", {"mcp", "read"}),
        ({"client_id": "cli"}, "cli", set()),
        ({"azp": ["cli"], "scope": ["mcp"]}, "", set()),
        ({}, "", set()),
    ],
)
def test_a_client_and_its_scopes_are_what_is_said_in_text(
    claims: dict[str, Any], client: str, scopes: set[str]
) -> None:
    assert client_and_scopes(claims) == (client, scopes)
