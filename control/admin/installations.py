"""Installations over the admin API: an entry, filled in by a person, a team or the organisation.

Whoever installs learns in the same request whether the server answers (`control/discovery/`). That the server is away
does not undo the installation: it is kept as `unreachable` with the reason, and discovered again on demand.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from control.admin.api import Asked, Operations
from control.admin.entries import refuse_in_use
from control.admin.installation_models import (
    InstallationCreate,
    InstallationDelete,
    InstallationPatch,
    InstallationQuery,
    InstallationView,
)
from control.credentials.filling import Filled, fill
from control.http.models import Id
from control.http.paging import Page, page_of
from control.http.problems import FieldError, conflict, forbidden, invalid, not_found
from control.registry.access import Caller
from control.registry.entry import Entry, bound_origin
from control.registry.installation import Installation, NewInstallation, SealedAnswers, told_of_installation
from control.registry.installing import may_fill, may_manage, may_see, owner_for
from control.registry.owner import Organisation, Owner, Person, Team
from control.registry.visibility import sees
from control.store import audit, entries, installations, outbox
from control.store.pool import Connection, transaction
from core.identifiers import new_id
from core.sealing import SealBroken

operations = Operations("installations")


@operations.get("/installations")
async def list_installations(asked: Asked, query: InstallationQuery) -> Page[InstallationView]:
    """The caller's own, their teams' and the organisation's; for admins all."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await installations.page(
            connection,
            limit=query.fetch,
            after=query.after,
            everything=asked.caller.is_admin,
            user_id=asked.caller.user_id or None,
            teams=list(asked.caller.teams),
            entry_id=query.entry_id,
            scope=query.scope,
        )
    return page_of(rows, query, shown, lambda one: one.id)


@operations.post("/installations")
async def create_installation(asked: Asked, body: InstallationCreate) -> InstallationView:
    """Install an entry, then discover what its server offers (at most 20 seconds)."""
    installation_id = new_id()
    owner = owner_for(asked.caller, body.scope, body.team_id)
    async with transaction(asked.pool) as connection:
        entry = await entries.one(connection, body.entry_id, lock=True)
        if entry is None or not sees(asked.caller, entry.visibility, entry.teams):
            raise invalid("entry_id", "is no entry's that you may see; list /entries")
        if not may_fill(asked.caller, owner):
            raise forbidden(_needed(owner))
        name = body.name or entry.name
        if body.scope == "organisation":
            await _refuse_second(connection, body.entry_id, name)
        filled = fill(entry, body.values, body.credential, asked.deps.addresses)
        await installations.insert(
            connection,
            installation_id,
            NewInstallation(
                entry_id=body.entry_id, name=name, owner=owner, protocol=body.protocol,
                created_by=asked.caller.user_id or None, **_answers(asked, installation_id, filled),
            ),
        )  # fmt: skip
        made = shown(await _installation(connection, installation_id))
        await outbox.announce(connection, "installation", installation_id)
        await audit.record(connection, asked.caller, "create", "installation", installation_id, None, in_audit(made))
    return await _discovered(asked, installation_id)


@operations.get("/installations/{installation_id}")
async def read_installation(asked: Asked, installation_id: Id) -> InstallationView:
    """One installation."""
    async with transaction(asked.pool, readonly=True) as connection:
        return shown(await _visible(connection, asked.caller, installation_id))


@operations.patch("/installations/{installation_id}")
async def change_installation(asked: Asked, installation_id: Id, body: InstallationPatch) -> InstallationView:
    """Change an installation; with other answers or another protocol its server is discovered again."""
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, asked.caller, installation_id)
        asked.refuse_stale(row.version)
        wanted = {"name": row.name, "protocol": row.protocol, **body.changes()}
        await installations.rename(connection, installation_id, wanted["name"], wanted["protocol"])
        refilled = not body.model_fields_set.isdisjoint({"values", "credential"})
        if refilled:
            await _fill_again(asked, connection, row, body)
        before, after = shown(row), shown(await _installation(connection, installation_id))
        await outbox.announce(connection, "installation", installation_id)
        await audit.record(
            connection, asked.caller, "update", "installation", installation_id,
            in_audit(before), {**in_audit(after), "secrets_given": _secrets_given(body, after)},
        )  # fmt: skip
    if refilled or before.protocol != after.protocol:
        return await _discovered(asked, installation_id)
    return after


@operations.post("/installations/{installation_id}/discover", status=200)
async def discover_installation(asked: Asked, installation_id: Id) -> InstallationView:
    """Ask the server again what it offers (at most 20 seconds)."""
    async with transaction(asked.pool, readonly=True) as connection:
        _refuse_others(asked.caller, await _visible(connection, asked.caller, installation_id))
    return await _discovered(asked, installation_id)


@operations.delete("/installations/{installation_id}")
async def delete_installation(asked: Asked, installation_id: Id, query: InstallationDelete) -> None:
    """Delete it and its secrets. Assignments that are pinned to it go only when `cascade` says so."""
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, asked.caller, installation_id)
        asked.refuse_stale(row.version)
        if not query.cascade:
            refuse_in_use("installation", await installations.dependents(connection, installation_id))
        gateways = await installations.gateways_of(connection, installation_id)
        await installations.delete(connection, installation_id)
        await outbox.announce(connection, "installation", installation_id)
        await outbox.touch_gateways(connection, gateways)
        await audit.record(
            connection, asked.caller, "delete", "installation", installation_id, in_audit(shown(row)), None
        )


def shown(installation: Installation) -> InstallationView:
    """An installation as callers see it."""
    return InstallationView.model_validate(told_of_installation(installation))


def in_audit(view: InstallationView) -> dict[str, Any]:
    """The same for the audit trail, as JSON; `server` is what a server said of itself, so it stays out."""
    return view.model_dump(mode="json", exclude={"server"})


async def _installation(connection: Connection, installation_id: str, *, lock: bool = False) -> Installation:
    row = await installations.one(connection, installation_id, lock=lock)
    if row is None:
        raise not_found("installation")
    return row


async def _visible(connection: Connection, caller: Caller, installation_id: str) -> Installation:
    row = await _installation(connection, installation_id)
    if not may_see(caller, row.owner):
        raise not_found("installation")
    return row


async def _locked(connection: Connection, caller: Caller, installation_id: str) -> Installation:
    """The row, locked after its entry as everywhere, or a Problem for a caller who may not change it."""
    row = await _visible(connection, caller, installation_id)
    _refuse_others(caller, row)
    await entries.one(connection, row.entry_id, lock=True)
    return await _installation(connection, installation_id, lock=True)


async def _refuse_second(connection: Connection, entry_id: str, name: str) -> None:
    """Problem 409 that names the first: two that look the same would leave every call without one to choose."""
    first = await installations.of_organisation(connection, entry_id, name)
    if first is not None:
        raise conflict(
            f"name: the organisation has an installation of this entry with this name already, {first}; change that "
            "one, or give another name.",
            [FieldError("name", f"is the installation's {first} already; change that one, or give another name")],
        )


def _refuse_others(caller: Caller, row: Installation) -> None:
    if not may_manage(caller, row.owner):
        raise forbidden(_needed(row.owner))


def _needed(owner: Owner) -> str:
    match owner:
        case Person():
            return "This needs the person whose it is."
        case Team():
            return "This needs an admin of the team."
        case Organisation():
            return "This needs an admin."
    assert_never(owner)


async def _fill_again(asked: Asked, connection: Connection, row: Installation, body: InstallationPatch) -> None:
    if not may_fill(asked.caller, row.owner):
        raise forbidden("Only the person whose installation this is may give its answers.")
    entry = await entries.one(connection, row.entry_id)
    assert entry is not None
    values = {**_still_asked(entry, row), **body.values}
    filled = fill(
        entry, values, body.changes().get("credential"), asked.deps.addresses, _kept_secrets(asked, entry, row)
    )
    await installations.fill(connection, row.id, SealedAnswers(**_answers(asked, row.id, filled)))


def _still_asked(entry: Entry, row: Installation) -> Mapping[str, Any]:
    names = {one.name for one in entry.fields if one.type != "secret"}
    return {name: value for name, value in row.plain_values.items() if name in names}


def _kept_secrets(asked: Asked, entry: Entry, row: Installation) -> Mapping[str, str]:
    """What was given earlier, but only while the entry is where it was when they were given."""
    if bound_origin(entry.reached) != row.bound_origin:
        return {}
    try:
        return asked.deps.seals.open_secret_values(row.id, row.secret_values)
    except SealBroken:
        return {}  # sealed with a key that is gone: all of them have to be given again


def _answers(asked: Asked, installation_id: str, filled: Filled) -> dict[str, Any]:
    return {
        "plain_values": filled.plain,
        "secret_values": asked.deps.seals.secret_values(installation_id, filled.secret),
        "secret_names": filled.secret_names,
        "bound_origin": filled.origin,
    }


def _secrets_given(body: InstallationPatch, after: InstallationView) -> list[str]:
    given = set(body.values) | (body.model_fields_set & {"credential"})
    return sorted(given & set(after.secret_names))


async def _discovered(asked: Asked, installation_id: str) -> InstallationView:
    await asked.deps.discoverer.discover(installation_id)
    async with transaction(asked.pool, readonly=True) as connection:
        row = await installations.one(connection, installation_id)
    if row is None:
        raise conflict("The installation was deleted while its server was asked.")
    return shown(row)
