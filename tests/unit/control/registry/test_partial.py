"""What a change of parts makes of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.credential import NoCredential
from control.registry.egress import Egress
from control.registry.entry import Remote
from control.registry.environment import Environment
from control.registry.partial import entry_with, environment_with, gateway_with, new_entry
from tests.fakes.registry import BEARER, a_gateway, an_entry

A_TIME = datetime(2026, 1, 1, tzinfo=UTC)
OF_TEAMS = an_entry(credential=BEARER, visibility="teams", teams=("t1",))
PERSONAL = a_gateway(visibility="personal", owner_id="u1", teams=())


def test_what_is_not_named_of_an_entry_stays() -> None:
    wanted = entry_with(OF_TEAMS, {"url": "https://b.example/mcp"})
    assert wanted.reached == Remote("https://b.example/mcp")
    assert (wanted.credential, wanted.teams, wanted.fixed_headers) == (BEARER, ("t1",), None)


def test_a_new_entry_of_a_team_is_shown_to_it_unless_it_is_named_who_sees_it() -> None:
    told = {
        "slug": "bugs", "name": "Bugs", "url": "https://b.example/mcp", "labels": {}, "visibility": "organisation",
        "teams": [], "credential_model": "none", "credential_placement": None, "fields": [], "passthrough": True,
        "isolation": "principal", "deadline_s": 0.0, "team_id": "t1",
    }  # fmt: skip
    made = new_entry(told, {"slug", "team_id"})
    assert (made.visibility, made.teams, made.team_id) == ("teams", ("t1",), "t1")
    assert new_entry(told, {"slug", "team_id", "visibility"}).visibility == "organisation"
    assert new_entry({**told, "team_id": None}, {"slug"}).visibility == "organisation"


def test_an_entry_for_the_organisation_leaves_its_teams() -> None:
    assert entry_with(OF_TEAMS, {"visibility": "organisation"}).teams == ()


def test_teams_that_are_named_beside_the_organisation_are_kept_for_the_rule_to_refuse() -> None:
    assert entry_with(OF_TEAMS, {"visibility": "organisation", "teams": ["t2"]}).teams == ("t2",)


def test_another_credential_model_drops_the_placement() -> None:
    assert entry_with(OF_TEAMS, {"credential_model": "none"}).credential == NoCredential()


def test_a_placement_that_does_not_go_with_the_model_is_refused() -> None:
    with pytest.raises(BrokenRule, match="credential_placement"):
        entry_with(OF_TEAMS, {"credential_model": "none", "credential_placement": {"style": "bearer"}})


def test_a_gateway_that_is_no_longer_personal_has_no_owner() -> None:
    assert gateway_with(PERSONAL, {"visibility": "organisation"}).owner_id is None


def test_a_gateway_that_is_no_longer_of_teams_has_none() -> None:
    before = a_gateway(visibility="teams", teams=("t1",))
    assert gateway_with(before, {"visibility": "organisation"}).teams == ()
    assert gateway_with(before, {"name": "Red"}).teams == ("t1",)


@pytest.mark.parametrize("given", [{"owner_id": None}, {"visibility": "personal", "owner_id": None}])
def test_a_personal_gateway_keeps_an_owner(given: dict[str, Any]) -> None:
    with pytest.raises(BrokenRule, match="owner_id: must be a user's id"):
        gateway_with(PERSONAL, given)
    assert gateway_with(PERSONAL, {"name": "Red"}).owner_id == "u1"


RESTRICTED = Environment(
    id="e1", name="Production", egress=Egress("restricted", domains=("a.example.com",), ports=("8443",)),
    presets=("p1",), created_at=A_TIME, updated_at=A_TIME, version=1,
)  # fmt: skip


@pytest.mark.parametrize("egress", [{"mode": "off"}, {"mode": "all"}, None])
def test_destinations_and_presets_go_with_the_mode_that_asks_for_them(egress: Any) -> None:
    wanted = environment_with(RESTRICTED, {"egress": egress})
    assert (wanted.egress, wanted.presets) == (egress and Egress(egress["mode"]), ())


def test_those_that_are_given_beside_another_mode_are_left_for_the_check() -> None:
    wanted = environment_with(RESTRICTED, {"egress": {"mode": "off", "cidrs": ["10.0.0.0/8"]}, "presets": ["p2"]})
    assert (wanted.egress, wanted.presets) == (Egress("off", cidrs=("10.0.0.0/8",)), ("p2",))


def test_those_that_were_kept_beside_another_mode_are_in_the_way_of_no_change() -> None:
    kept = replace(RESTRICTED, egress=Egress("all", cidrs=("10.0.0.0/8",)))
    wanted = environment_with(kept, {"name": "Staging"})
    assert (wanted.name, wanted.egress, wanted.presets) == ("Staging", Egress("all"), ())


def test_what_is_not_named_of_a_restricted_policy_stays() -> None:
    wanted = environment_with(RESTRICTED, {"egress": {"cidrs": ["10.0.0.0/8"]}})
    assert wanted.egress == Egress("restricted", ("10.0.0.0/8",), ("a.example.com",), ("8443",))
    assert wanted.presets == ("p1",)
