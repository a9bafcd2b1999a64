"""For whom a person may install an entry: themselves, teams, the organisation, service accounts; as forms offer it.

Called by the pages that install.
"""

from typing import Final

from control.console.visit import Visit
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.installing import check_can_hold, may_install
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from control.registry.team_entries import check_installed_for
from control.store import oauth_clients, teams
from control.store.pool import Connection

_MOST: Final = 200
"""Of teams, and of service accounts."""


async def owners_offered(connection: Connection, visit: Visit, entry: Entry) -> list[tuple[str, str]]:
    """For whom the person may install the entry: pairs of value and label."""
    caller = visit.caller
    found = await teams.page(
        connection, limit=_MOST, after=None, member=None if caller.may("team:read") else caller.user_id
    )
    programs = await oauth_clients.acting_by_themselves(connection, _MOST) if caller.may("oauth_client:read") else []
    possible: list[tuple[Owner, str, str]] = [(Person(caller.user_id), "personal", "Myself")]
    possible += [(TeamOwner(one.id), f"team:{one.id}", f"The team {one.name}") for one in found]
    possible.append((Organisation(), "organisation", "The whole organisation"))
    possible += [(ServiceAccount(one.id), f"service:{one.id}", f"The service account {one.name}") for one in programs]
    return [(value, label) for owner, value, label in possible if _may_install(visit, entry, owner)]


def owner_fields(chosen: str) -> dict[str, str | None]:
    """What was chosen of those, in the fields of a new installation."""
    scope, _, identifier = chosen.partition(":")
    return {
        "scope": scope,
        "team_id": identifier or None if scope == "team" else None,
        "oauth_client_id": identifier or None if scope == "service" else None,
    }


def _may_install(visit: Visit, entry: Entry, owner: Owner) -> bool:
    try:
        check_installed_for(entry, owner)
        check_can_hold(entry.credential, owner)
    except BrokenRule:
        return False
    return may_install(visit.caller, owner)
