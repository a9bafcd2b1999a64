"""Registry entries over the admin API: the servers that are approved, how they are asked, and who sees them.

A change of an entry is felt by its installations (`control/registry/binding.py`) and by every gateway that carries
its tools; all of it is written in one transaction.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from control.admin.api import Asked, Operations
from control.admin.entry_models import EntryCreate, EntryDelete, EntryPatch, EntryQuery, EntryView
from control.credentials import dispatch
from control.credentials.binding import state_after
from control.http.models import Id
from control.http.paging import Page, page_of
from control.http.problems import FieldError, conflict, invalid, not_found
from control.registry.access import Caller
from control.registry.credential import credential_of
from control.registry.entry import Entry, NewEntry, Remote, WantedEntry, entry_fields, told_of_entry
from control.registry.entry_rules import CheckedEntry, check_entry
from control.registry.visibility import sees
from control.store import audit, entries, installations, outbox
from control.store.pool import Connection, transaction
from core.identifiers import new_id

operations = Operations("entries")


@operations.get("/entries")
async def list_entries(asked: Asked, query: EntryQuery) -> Page[EntryView]:
    """The entries that the caller may see, oldest first."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await entries.page(
            connection,
            limit=query.fetch,
            after=query.after,
            everything=asked.caller.is_admin,
            teams=list(asked.caller.teams),
            label=label_filter(query.label),
            text=query.text,
        )
    return page_of(rows, query, shown, lambda entry: entry.id)


@operations.post("/entries")
async def create_entry(asked: Asked, body: EntryCreate) -> EntryView:
    """Approve a remote server."""
    entry_id = new_id()
    wanted = _wanted(body.model_dump())
    checked = check_entry(wanted, dispatch.check(wanted.credential), asked.deps.addresses)
    async with transaction(asked.pool) as connection:
        await entries.insert(connection, entry_id, _sealed(asked, entry_id, checked, None))
        made = shown(await _entry(connection, entry_id))
        await audit.record(connection, asked.caller, "create", "entry", entry_id, None, in_audit(made))
    return made


@operations.get("/entries/{entry_id}")
async def read_entry(asked: Asked, entry_id: Id) -> EntryView:
    """One entry."""
    async with transaction(asked.pool, readonly=True) as connection:
        return shown(await visible_entry(connection, asked.caller, entry_id))


@operations.patch("/entries/{entry_id}")
async def change_entry(asked: Asked, entry_id: Id, body: EntryPatch) -> EntryView:
    """Change an entry. Secrets do not follow it to another origin: its installations are then filled in again."""
    async with transaction(asked.pool) as connection:
        entry = await _entry(connection, entry_id, lock=True)
        asked.refuse_stale(entry.version)
        before = shown(entry)
        wanted = _wanted(_merged(told_of_entry(entry), body))
        checked = check_entry(wanted, dispatch.check(wanted.credential), asked.deps.addresses, entry)
        await entries.update(connection, entry_id, _sealed(asked, entry_id, checked, entry))
        changed = await _entry(connection, entry_id)
        await _settle_installations(asked, connection, entry, changed)
        await outbox.announce(connection, "entry", entry_id)
        await outbox.touch_gateways(connection, await entries.gateways_of(connection, entry_id))
        after = shown(changed)
        await audit.record(connection, asked.caller, "update", "entry", entry_id, in_audit(before), in_audit(after))
    return after


@operations.delete("/entries/{entry_id}")
async def delete_entry(asked: Asked, entry_id: Id, query: EntryDelete) -> None:
    """Delete an entry. One that is in use goes with all that hangs on it only when `cascade` says so."""
    async with transaction(asked.pool) as connection:
        entry = await _entry(connection, entry_id, lock=True)
        asked.refuse_stale(entry.version)
        installed = await installations.lock_of_entry(connection, entry_id)
        if not query.cascade:
            refuse_in_use("entry", await entries.dependents(connection, entry_id))
        gateways = await entries.gateways_of(connection, entry_id)
        await entries.delete(connection, entry_id)
        for one in installed:
            await outbox.announce(connection, "installation", one.id)
        await outbox.announce(connection, "entry", entry_id)
        await outbox.touch_gateways(connection, gateways)
        await audit.record(connection, asked.caller, "delete", "entry", entry_id, in_audit(shown(entry)), None)


async def visible_entry(connection: Connection, caller: Caller, entry_id: str, *, lock: bool = False) -> Entry:
    """The entry, or Problem 404 for one that is not there or that the caller may not see."""
    entry = await entries.one(connection, entry_id, lock=lock)
    if entry is None or not sees(caller, entry.visibility, entry.teams):
        raise not_found("entry")
    return entry


def refuse_in_use(what: str, dependents: list[str]) -> None:
    """Problem 409 that names what depends on it."""
    if dependents:
        raise conflict(
            f"The {what} is in use by {', '.join(dependents)}. Delete those first, or say ?cascade=true.",
            [FieldError("cascade", f"is needed: {used}") for used in dependents],
        )


def label_filter(given: str) -> dict[str, str] | None:
    """`name=value` of a list's query; None where it is not given."""
    if not given:
        return None
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise invalid("label", "must be name=value")
    return {name: value}


def shown(entry: Entry) -> EntryView:
    """An entry as callers see it."""
    return EntryView.model_validate(told_of_entry(entry))


def in_audit(view: EntryView) -> Mapping[str, Any]:
    """The same for the audit trail, as JSON."""
    return view.model_dump(mode="json")


async def _entry(connection: Connection, entry_id: str, *, lock: bool = False) -> Entry:
    entry = await entries.one(connection, entry_id, lock=lock)
    if entry is None:
        raise not_found("entry")
    return entry


def _merged(before: Mapping[str, Any], body: EntryPatch) -> dict[str, Any]:
    given = body.changes()
    wanted = {**before, "fixed_headers": None, **given}
    model_changes = given.get("credential_model", before["credential_model"]) != before["credential_model"]
    if model_changes and "credential_placement" not in given:
        wanted["credential_placement"] = None
    if given.get("visibility") == "organisation" and "teams" not in given:
        wanted["teams"] = []
    return wanted


def _wanted(told: Mapping[str, Any]) -> WantedEntry:
    credential = credential_of(told["credential_model"], told["credential_placement"])
    return msgspec.convert({**told, "reached": Remote(told["url"]), "credential": credential}, WantedEntry)


def _sealed(asked: Asked, entry_id: str, checked: CheckedEntry, before: Entry | None) -> NewEntry:
    if checked.entry.fixed_headers is None:
        sealed = before.fixed_headers if before else None
    else:
        sealed = asked.deps.seals.fixed_headers(entry_id, checked.entry.fixed_headers)
    return NewEntry(
        **entry_fields(checked.entry), fixed_headers=sealed, fixed_header_names=checked.fixed_header_names
    )


async def _settle_installations(asked: Asked, connection: Connection, before: Entry, after: Entry) -> None:
    for one in await installations.lock_of_entry(connection, after.id):
        change = state_after(before, after, one, asked.deps.addresses)
        if change is not None:
            await installations.set_state(connection, one.id, change.state, change.reason)
            await outbox.announce(connection, "installation", one.id)
