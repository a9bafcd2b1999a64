"""For whom a person may install an entry: themselves, teams, the organisation. Called by the pages that install."""

from typing import Final

from control.console.visit import Visit
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.installing import may_install
from control.registry.owner import Organisation, Owner, Person, TeamOwner
from control.registry.team_entries import check_installed_for
from control.store import teams
from control.store.pool import Connection

_MOST_TEAMS: Final = 200


async def owners_offered(connection: Connection, visit: Visit, entry: Entry) -> list[tuple[str, str]]:
    """For whom the person may install the entry: pairs of value and label."""
    caller = visit.caller
    found = await teams.page(
        connection, limit=_MOST_TEAMS, after=None, member=None if caller.may("team:read") else caller.user_id
    )
    possible: list[tuple[Owner, str, str]] = [(Person(caller.user_id), "personal", "Myself")]
    possible += [(TeamOwner(one.id), f"team:{one.id}", f"The team {one.name}") for one in found]
    possible.append((Organisation(), "organisation", "The whole organisation"))
    return [(value, label) for owner, value, label in possible if _may_install(visit, entry, owner)]


def _may_install(visit: Visit, entry: Entry, owner: Owner) -> bool:
    try:
        check_installed_for(entry, owner)
    except BrokenRule:
        return False
    return may_install(visit.caller, owner)
