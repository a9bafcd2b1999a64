"""Entries that a team made for itself: what they may be shown on, and installed for.

Called by `control/changes/`. Nobody but the team approved such a server, and the team's editors may point it
elsewhere at any time. So the team alone sees it, nobody installs it for others with their credentials, and no gateway
of others shows its tools, until somebody who keeps the organisation's entries takes it over.
"""

from collections.abc import Mapping
from typing import assert_never

from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, EntryFields
from control.registry.gateway import GatewayFields
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner, owner_columns

_TAKE_OVER = "until `archway entries update ENTRY --belongs-to organisation` makes it the organisation's"


def entry_owner(entry: EntryFields) -> Owner:
    """Whose an entry is: a team's, or the organisation's."""
    return Organisation() if entry.team_id is None else TeamOwner(entry.team_id)


def check_shown_to_its_team(entry: EntryFields) -> None:
    """BrokenRule for a team's entry that others would see, or the team would not."""
    if entry.team_id is not None and (entry.visibility, entry.teams) != ("teams", (entry.team_id,)):
        raise BrokenRule("teams", f"must be the team whose entry it is, and no other, {_TAKE_OVER}")


def check_owner_stays(before: EntryFields, wanted: EntryFields) -> None:
    """BrokenRule where an entry would become a team's: what others trusted the organisation for may depend on it."""
    if wanted.team_id not in {None, before.team_id}:
        raise BrokenRule("team_id", "is settled when an entry is made; null, or organisation, takes one over for all")


def check_installed_for(entry: Entry, owner: Owner) -> None:
    """BrokenRule where a team's entry would be installed for the organisation, another team or a service account."""
    if entry.team_id is None:
        return
    match owner:
        case Person():
            return
        case TeamOwner(team_id):
            if team_id != entry.team_id:
                raise BrokenRule("team_id", f"must be the team whose entry it is, {_TAKE_OVER}")
            return
        case Organisation() | ServiceAccount():
            scope = owner_columns(owner).scope
            raise BrokenRule("scope", f"cannot be {scope!r}: the entry belongs to a team, {_TAKE_OVER}")
    assert_never(owner)


def check_shown_on(gateway: GatewayFields, entries: Mapping[str, str], field: str = "visibility") -> None:
    """BrokenRule where `gateway` would show a tool of a team's entry to others than that team.

    `entries`: what is shown, by the name that people know, to the team whose entry it is of.
    """
    for name, team_id in entries.items():
        if gateway.visibility != "personal" and gateway.teams != (team_id,):
            raise BrokenRule(
                field,
                f"would show {name} to others, and its entry belongs to a team: only a gateway that this team alone "
                f"sees, or a personal one, may show its tools, {_TAKE_OVER}",
            )
