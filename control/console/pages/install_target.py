"""What an install link asks for, and whether the browser's person is who it is for.

Called by the install page. The link may come from anywhere, a chat or a model: it gives nobody anything, and whoever
it is not for is told so before anything of the entry is shown. Leaves out what may be saved: `control/changes/`.
"""

from dataclasses import dataclass

from control.changes.installations import managed
from control.changes.refusals import NotThere
from control.changes.visible import visible_entry
from control.console.owners_offered import owners_offered
from control.console.visit import Visit
from control.registry.access import Caller
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.installing import may_fill, may_install
from control.registry.owner import TeamOwner
from control.store import accounts, entries, installations
from control.store.pool import Connection
from core.identifiers import is_id


class NotForYou(Exception):
    """The browser's person is not who the link is for; the sentence names nobody and nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """The entry, and perhaps the installation, that an install link leads a person to."""

    entry: Entry
    whose: str
    """`user:ID` or `team:ID`, as the link says whom it is for; '' where it does not."""
    installation: Installation | None
    """The one to sign in for again, or to fill in again; None for a new one."""
    account: Account | None
    """What that one has so far."""
    owners: tuple[tuple[str, str], ...]
    """For whom the person may install it: pairs of value and label."""


async def target_of(connection: Connection, visit: Visit, slug: str) -> Target:
    """The target. NotForYou; NotThere for what the person may not see; NotAllowed for what they may not fill in."""
    caller, query = visit.caller, visit.request.query
    whose = query.get("as", "")
    refuse_others(caller, whose)
    entry = visible_entry(await entries.by_slug(connection, slug), caller)
    installation_id, installation, account = query.get("installation", ""), None, None
    if installation_id:
        installation = await _installation(connection, caller, entry, installation_id)
        account = await accounts.one(connection, installation.id)
    owners = () if installation else await _owners(connection, visit, entry, whose)
    return Target(entry, whose, installation, account, owners)


def refuse_others(caller: Caller, whose: str) -> None:
    """Raise NotForYou where the link is for another person, or for a team that this one may not install for."""
    if not whose:
        return
    kind, _, identifier = whose.partition(":")
    if kind == "team" and is_id(identifier):
        team = TeamOwner(identifier)
        if may_install(caller, team) or may_fill(caller, "installation:update", team):
            return
        raise NotForYou(
            "This link is for a team, and you may not connect anything for that team. Pass it on to an editor of "
            "the team, or sign in to Archway as one."
        )
    if kind == "user" and identifier == caller.user_id:
        return
    raise NotForYou(
        "This link is for somebody else. If that is you, with another account of Archway, sign out here, sign in as "
        "them, and open the link again. Nothing was done."
    )


async def _installation(connection: Connection, caller: Caller, entry: Entry, installation_id: str) -> Installation:
    found = await installations.one(connection, installation_id) if is_id(installation_id) else None
    installation = managed(found, caller, "installation:update")
    if installation.entry_id != entry.id:
        raise NotThere("installation")
    if not may_fill(caller, "installation:update", installation.owner):
        raise NotForYou("This installation is somebody else's: they alone sign in for it. Send them the link.")
    return installation


async def _owners(connection: Connection, visit: Visit, entry: Entry, whose: str) -> tuple[tuple[str, str], ...]:
    """Of those that the person may install for, whom the link is for."""
    found = await owners_offered(connection, visit, entry)
    meant = "personal" if whose.startswith("user:") else whose
    return tuple((value, label) for value, label in found if meant in {"", value})
