"""Changes of installations: an entry, filled in for a person, a team, the organisation or a service account.

A new one, or one with other answers, is in the state `new`: whoever calls has its server discovered afterwards
(`control/discovery/`), outside of the transaction. Rows are locked after their entry's, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from control.changes.callers_tokens import check_serves
from control.changes.quotas import quota_before, refuse_over
from control.changes.refusals import NotAllowed, NotNow, refuse_in_use, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.visible import visible_installation
from control.changes.write import Write, there
from control.credentials.filling import Filled, fill, kept_of, still_asked
from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.installation import (
    Installation,
    NewInstallation,
    Protocol,
    SealedAnswers,
    address_of,
    told_of_installation,
)
from control.registry.installing import check_few_servers, may_fill, may_install, needed_for, owner_for
from control.registry.owner import Organisation, Owner, Person, Scope, ServiceAccount, TeamOwner
from control.registry.team_entries import check_installed_for
from control.registry.visibility import sees
from control.store import entries, gateways, installations, oauth_clients, teams, users
from control.store.writes import entries as entry_rows
from control.store.writes import installations as rows
from core.identifiers import new_id

LONGEST_NAME = 128
"""As the admin API takes it; an address may be longer, and is then cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedInstallation:
    """An installation as somebody asks for it."""

    entry_id: str
    scope: Scope
    team_id: str | None = None
    oauth_client_id: str | None = None
    name: str | None = None
    """None: the entry's for the organisation, `crm@Support` for any other owner."""
    protocol: Protocol = "auto"
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Answers to the entry's fields."""
    credential: str | None = field(default=None, repr=False)
    default: bool = False
    """Whether it becomes its owner's default; the first is anyway."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An installation after a change."""

    installation: Installation
    to_discover: bool
    """Its server has to be asked again."""


async def create(write: Write, safeguards: Safeguards, wanted: WantedInstallation) -> Installation:
    """Install an entry. BrokenRule; NotAllowed; NotNow where its owner has one of that name already, and where its
    environment has no room for another server.
    """
    owner = owner_for(write.actor, wanted.scope, wanted.team_id, wanted.oauth_client_id)
    entry = await entries.one(write.connection, wanted.entry_id, lock=True)
    if entry is None or not sees(write.actor, "entry:read", entry.visibility, entry.teams):
        raise BrokenRule("entry_id", "is not the id of an entry that you may see; list /entries")
    if not may_install(write.actor, owner):
        raise NotAllowed(needed_for(write.actor, "installation:share", owner))
    check_installed_for(entry, owner)
    check_serves(entry, owner)
    await _check_acts_by_itself(write, owner)
    name = wanted.name or await _usual_name(write, entry, owner)
    others = await installations.of_owner(write.connection, entry.id, owner)
    _refuse_same_name(entry, others, name)
    check_few_servers(entry.reached, owner, len(others))
    quota = await quota_before(write, entry)
    installation_id = new_id()
    filled = fill(entry, wanted.values, wanted.credential, safeguards.addresses)
    await rows.insert(
        write,
        installation_id,
        NewInstallation(
            entry_id=entry.id, name=name, owner=owner, protocol=wanted.protocol,
            created_by=write.actor.user_id or None, is_default=not others,
            **_sealed(safeguards, installation_id, filled),
        ),
    )  # fmt: skip
    await refuse_over(write, quota)
    if wanted.default:
        await rows.set_default(write, installation_id)
    made = there(await installations.one(write.connection, installation_id))
    served = _who_is_served_otherwise(made) if made.is_default else {}
    await write.announce(installations=[installation_id], **served)
    await write.record("create", "installation", installation_id, None, _recorded(made))
    return made


async def change(
    write: Write,
    safeguards: Safeguards,
    installation_id: str,
    wanted: Mapping[str, Any],
    version: int | None = None,
) -> Changed:
    """Give an installation what `wanted` names: `name`, `protocol`, `values` (some answers), `credential`, or
    `default`, which takes that from the one that was.
    """
    before = await locked(write, installation_id, "installation:update", version)
    moved = _becomes_default(before, wanted)
    answers = None
    if not {"values", "credential"}.isdisjoint(wanted):
        answers = await _other_answers(write, safeguards, before, wanted)
    await rows.rename(
        write, installation_id, wanted.get("name", before.name), wanted.get("protocol", before.protocol)
    )
    if answers is not None:
        await rows.fill(write, installation_id, answers)
    if moved:
        await rows.set_default(write, installation_id)
    after = there(await installations.one(write.connection, installation_id))
    served = _who_is_served_otherwise(after) if moved else {}
    is_other = answers is not None or before.protocol != after.protocol
    told = {"installations_over" if is_other else "installations": [installation_id]}
    await write.announce(**told, **served)
    await write.record(
        "update", "installation", installation_id,
        _recorded(before), {**_recorded(after), "secrets_given": _secrets_given(wanted, after)},
    )  # fmt: skip
    return Changed(after, is_other)


async def delete(write: Write, installation_id: str, version: int | None = None, *, cascade: bool = False) -> None:
    """Delete an installation and its secrets; with the assignments pinned to it only if `cascade` says so. Where it
    was its owner's default, the oldest other one becomes that; where the tools of its entry were found through it,
    they are found through another.
    """
    before = await locked(write, installation_id, "installation:delete", version)
    used = await gateways.showing_in_words(write.connection, write.actor, installation_id=installation_id)
    refuse_in_use("installation", used, cascade=cascade)
    pinned = await installations.gateways_of(write.connection, installation_id)
    await rows.delete(write, installation_id)
    await write.announce(installations_over=[installation_id], gateways=pinned)
    await write.record("delete", "installation", installation_id, _recorded(before), None)
    if before.discovers:
        await entry_rows.discover_through_another(write, [before.entry_id])
        await write.announce()
        write.observed()
    if before.is_default:
        await _next_default(write, before)


async def _next_default(write: Write, gone: Installation) -> None:
    """The oldest of the owner's other ones takes the place of the default that was deleted."""
    others = await installations.of_owner(write.connection, gone.entry_id, gone.owner)
    if not others:
        return
    oldest = others[0]
    await rows.set_default(write, oldest.id)
    after = there(await installations.one(write.connection, oldest.id))
    await write.announce(installations=[oldest.id])
    await write.record("update", "installation", oldest.id, _recorded(oldest), _recorded(after))


def managed(found: Installation | None, caller: Caller, action: Action) -> Installation:
    """The installation; raises NotThere, or NotAllowed for a caller who may not do this to it."""
    if found is not None and caller.may_for(action, found.owner):
        return found
    installation = visible_installation(found, caller)
    raise NotAllowed(needed_for(caller, action, installation.owner))


async def locked(write: Write, installation_id: str, action: Action, version: int | None = None) -> Installation:
    """The installation, locked after its entry, for a change that needs this action. NotThere; NotAllowed; Stale."""
    found = managed(await installations.one(write.connection, installation_id), write.actor, action)
    await entries.one(write.connection, found.entry_id, lock=True)
    there_now = await installations.one(write.connection, installation_id, lock=True)
    installation = managed(there_now, write.actor, action)
    refuse_stale(version, installation.version)
    return installation


async def _usual_name(write: Write, entry: Entry, owner: Owner) -> str:
    """Of an installation that is given none: one that says whose it is, for there may be many of one entry."""
    whose = await _owner_name(write, owner)
    return entry.name if whose is None else address_of(entry.slug, whose)[:LONGEST_NAME]


async def _owner_name(write: Write, owner: Owner) -> str | None:
    """None for the organisation, and for an owner that is not there: the schema refuses the row."""
    match owner:
        case Person(user_id):
            person = await users.one(write.connection, user_id)
            return None if person is None else person.email
        case TeamOwner(team_id):
            team = await teams.one(write.connection, team_id)
            return None if team is None else team.name
        case ServiceAccount(client_id):
            client = await oauth_clients.one(write.connection, client_id)
            return None if client is None else client.name
        case Organisation():
            return None
    assert_never(owner)


async def _check_acts_by_itself(write: Write, owner: Owner) -> None:
    """BrokenRule for a client that is not there, or that calls for people: those bring installations of their own."""
    if not isinstance(owner, ServiceAccount):
        return
    client = await oauth_clients.one(write.connection, owner.id)
    if client is None or client.acts != "by_itself":
        raise BrokenRule(
            "oauth_client_id", "is not the id of an OAuth client that acts by itself; list /oauth-clients"
        )


def _refuse_same_name(entry: Entry, others: Sequence[Installation], name: str) -> None:
    """Raise NotNow that names the other one: an owner tells several of an entry apart by their names."""
    for other in others:
        if other.name.lower() == name.lower():
            whose = "the organisation" if isinstance(other.owner, Organisation) else other.owner_name
            message = (
                f"{other.name!r} is the name of an installation of {entry.slug} that {whose} has ({other.id}); "
                "change that one, or give this one a name of its own"
            )
            raise NotNow(f"name: {message}", [("name", message)])


def _becomes_default(before: Installation, wanted: Mapping[str, Any]) -> bool:
    """Whether the change makes it the default. That it is not any more is said of the one that takes its place."""
    default = wanted.get("default", before.is_default)
    if before.is_default and not default:
        raise BrokenRule("default", "cannot be taken away alone; make another installation of this owner the default")
    return default and not before.is_default


def _who_is_served_otherwise(installation: Installation) -> dict[str, list[str]]:
    """Whose calls may find another installation than they did, as proxies are told: one person's or one client's,
    or, of a team or the organisation, any caller's of the entry.
    """
    match installation.owner:
        case Person(user_id):
            return {"users": [user_id]}
        case ServiceAccount(client_id):
            return {"clients": [client_id]}
        case TeamOwner() | Organisation():
            return {"entries": [installation.entry_id]}
    assert_never(installation.owner)


async def _other_answers(
    write: Write, safeguards: Safeguards, before: Installation, wanted: Mapping[str, Any]
) -> SealedAnswers:
    if not may_fill(write.actor, "installation:update", before.owner):
        raise NotAllowed(_why_not_filled(write.actor, before.owner))
    entry = there(await entries.one(write.connection, before.entry_id))
    values = {**still_asked(entry, before), **wanted.get("values", {})}
    kept = kept_of(entry, before, safeguards.seals, values, safeguards.addresses)
    filled = fill(entry, values, wanted.get("credential"), safeguards.addresses, kept)
    return SealedAnswers(**_sealed(safeguards, before.id, filled))


def _why_not_filled(caller: Caller, owner: Owner) -> str:
    if isinstance(owner, Person):
        return "Only the owner of this installation may give its answers."
    return needed_for(caller, "installation:update", owner)


def _sealed(safeguards: Safeguards, installation_id: str, filled: Filled) -> dict[str, Any]:
    return {
        "plain_values": filled.plain,
        "secret_values": safeguards.seals.secret_values(installation_id, filled.secret),
        "secret_names": filled.secret_names,
        "bound_url": filled.url,
        "bound_origin": filled.origin,
        "bound_places": filled.places,
    }


def _recorded(installation: Installation) -> dict[str, Any]:
    """For the audit trail. `server` is what a server said of itself, so it stays out."""
    told = told_of_installation(installation)
    del told["server"]
    return told


def _secrets_given(wanted: Mapping[str, Any], after: Installation) -> list[str]:
    given = {*wanted.get("values", {}), *({"credential"} & set(wanted))}
    return sorted(given & set(after.secret_names))
