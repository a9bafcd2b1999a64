from __future__ import annotations

from typing import Any

import pytest

from control.identity.said_claims import MOST_BYTES, SaidClaims, explained, to_keep, unpacked_claims
from control.registry.identity_provider import RoleRule, TeamRule
from tests.fakes.providers import ISSUER, a_provider

CORP = a_provider(
    teams_claim="groups", roles_claim="realm_access.roles", highest_role="editor", allowed_domains=("corp.test",),
    team_rules=(TeamRule("eng", "t1", "editor"), TeamRule("old", "t2")),
    role_rules=(RoleRule("tool-admins", "admin"), RoleRule("tool-curators", "editor")),
)  # fmt: skip
SAID: dict[str, Any] = {
    "iss": ISSUER, "sub": "ann-4711", "email": "ann@corp.test", "email_verified": True, "name": "Ann",
    "groups": ["eng", "old", "lunch"], "realm_access": {"roles": ["tool-admins", "offline"]}, "department": "R&D",
}  # fmt: skip


def gives(claims: dict[str, Any], provider: Any = CORP) -> dict[tuple[str, str], str]:
    told = explained(provider, to_keep(provider, claims), {"t1": "Engineering"})
    return {(one.name, value.value): value.gives for one in told for value in one.values}


def test_each_value_says_what_it_gives_here() -> None:
    assert gives(SAID) == {
        ("sub", "ann-4711"): "who you are there: your account here is found by it",
        ("email", "ann@corp.test"): "your address; an account here is found by it at a first sign-in",
        ("email_verified", "true"): "whether your address there counts",
        ("name", "Ann"): "your name, if your account here is made at a sign-in",
        ("groups", "eng"): "the team Engineering, as editor",
        ("groups", "old"): "nothing: its rule names a team that is gone",
        ("groups", "lunch"): "nothing: no rule fits",
        (
            "realm_access.roles",
            "tool-admins",
        ): "the role editor (its rule says admin, more than this provider may give)",
        ("realm_access.roles", "offline"): "nothing: no rule fits",
        ("department", "R&D"): "nothing",
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"email_verified": False}, "does not say that it was verified"),
        ({"email": "ann@elsewhere.test"}, "does not speak for its domain"),
        ({"email": "ann"}, "no address that can be used"),
    ],
)
def test_an_address_that_finds_nobody_says_why(changes: dict[str, Any], told: str) -> None:
    claims = SAID | changes
    assert told in gives(claims)["email", claims["email"]]


def test_a_claim_that_a_setting_reads_and_that_was_not_sent_is_said() -> None:
    kept = to_keep(CORP, {name: value for name, value in SAID.items() if name != "groups"})
    (groups,) = [one for one in explained(CORP, kept, {}) if one.name == "groups"]
    assert (groups.values, groups.note) == ((), "Archway looks for this, and the provider did not send it.")


def test_one_claim_may_give_teams_and_a_role() -> None:
    provider = a_provider(
        teams_claim="groups", roles_claim="groups", highest_role="editor",
        team_rules=(TeamRule("eng", "t1"),), role_rules=(RoleRule("eng", "editor"),),
    )  # fmt: skip
    assert (
        gives({**SAID, "groups": "eng"}, provider)["groups", "eng"]
        == "the team Engineering, as member; the role editor"
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "n-0S6"},
        {"at_hash": "h"},
        {"sid": "session"},
        {"jti": "once"},
        {"access_token": "opaque"},
        {"github_Token": "ghp"},
        {"client_secret": "s"},
        {"proof": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"},
        {"proofs": ["eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]},
        {"picture": "data:" + "x" * 300},
        {"address": {"street": "Main"}},
        {"lines": "a\nb"},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_what_is_no_plain_word_of_the_person_is_not_kept(claims: dict[str, Any]) -> None:
    assert to_keep(CORP, SAID | claims) == to_keep(CORP, SAID)


def test_there_is_room_for_the_values_of_rules_before_others() -> None:
    many = [f"group-{number:05d}-of-the-company" for number in range(2_000)]
    kept = to_keep(CORP, {**SAID, "groups": [*many, "eng"], "zone": "west"})
    assert kept.claims["groups"][0] == "eng"
    assert kept.left_out > 1_500
    assert len(kept.packed()) <= MOST_BYTES


def test_what_is_kept_is_read_again_and_shown_by_nobody() -> None:
    kept = SaidClaims({"sub": "ann"}, 3)
    assert unpacked_claims(kept.packed()) == kept
    assert "ann" not in repr(kept)
