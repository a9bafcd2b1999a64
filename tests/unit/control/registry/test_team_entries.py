"""Entries that a team made for itself stay with that team."""

from __future__ import annotations

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.gateway import GatewayFields
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from control.registry.team_entries import (
    check_installed_for,
    check_owner_stays,
    check_shown_on,
    check_shown_to_its_team,
    entry_owner,
)
from tests.fakes.registry import an_entry, gateway_fields

OURS = an_entry()
REDS = an_entry(team_id="red", visibility="teams", teams=("red",))


def test_an_entry_is_the_organisations_unless_it_is_a_teams() -> None:
    assert entry_owner(OURS) == Organisation()
    assert entry_owner(REDS) == TeamOwner("red")


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(team_id="red"),
        an_entry(team_id="red", visibility="teams", teams=("blue",)),
        an_entry(team_id="red", visibility="teams", teams=("blue", "red")),
    ],
)
def test_a_teams_entry_is_shown_to_that_team_alone(entry: Entry) -> None:
    check_shown_to_its_team(REDS)
    check_shown_to_its_team(OURS)
    with pytest.raises(BrokenRule, match="teams: must be the team"):
        check_shown_to_its_team(entry)


def test_an_entry_becomes_the_organisations_and_never_a_teams() -> None:
    check_owner_stays(REDS, OURS)
    check_owner_stays(REDS, REDS)
    for before in (OURS, an_entry(team_id="blue")):
        with pytest.raises(BrokenRule, match="team_id: is settled"):
            check_owner_stays(before, REDS)


@pytest.mark.parametrize(
    ("owner", "field"), [(Organisation(), "scope"), (ServiceAccount("c1"), "scope"), (TeamOwner("blue"), "team_id")]
)
def test_a_teams_entry_is_installed_for_that_team_and_for_persons(owner: Owner, field: str) -> None:
    check_installed_for(OURS, owner)
    check_installed_for(REDS, TeamOwner("red"))
    check_installed_for(REDS, Person("ann"))
    with pytest.raises(BrokenRule) as broken:
        check_installed_for(REDS, owner)
    assert broken.value.field == field


@pytest.mark.parametrize(
    "gateway",
    [
        gateway_fields(),
        gateway_fields(visibility="teams", teams=("blue",)),
        gateway_fields(visibility="teams", teams=("blue", "red")),
    ],
)
def test_tools_of_a_teams_entry_are_shown_where_nobody_else_calls_them(gateway: GatewayFields) -> None:
    check_shown_on(gateway, {})
    check_shown_on(gateway_fields(visibility="teams", teams=("red",)), {"bugs__list": "red"})
    check_shown_on(gateway_fields(visibility="personal", owner_id="ann"), {"bugs__list": "red"})
    with pytest.raises(BrokenRule, match="would show bugs__list to others"):
        check_shown_on(gateway, {"bugs__list": "red"})
