"""Changes of registry entries. A change is felt by the entry's installations (`control/credentials/binding.py`) and
by every gateway that carries its tools; all of it is written together.
"""

from collections.abc import Callable
from typing import Any

from control.changes.refusals import NotThere, refuse_in_use, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.write import Write, there
from control.credentials import dispatch
from control.credentials.binding import state_after
from control.registry.entry import Entry, NewEntry, WantedEntry, entry_fields, told_of_entry
from control.registry.entry_rules import check_entry
from control.store import entries, installations
from control.store.writes import entries as rows
from control.store.writes import installations as installation_rows
from core.identifiers import new_id


async def create(write: Write, safeguards: Safeguards, wanted: WantedEntry) -> Entry:
    """Approve a server. BrokenRule; StoreConflict `entries_slug_key` or `entry_teams_team_id_fkey`."""
    entry_id = new_id()
    await rows.insert(write, entry_id, _sealed(safeguards, entry_id, wanted, None))
    made = there(await entries.one(write.connection, entry_id))
    await write.announce()
    await write.record("create", "entry", entry_id, None, _recorded(made))
    return made


async def change(
    write: Write,
    safeguards: Safeguards,
    entry_id: str,
    wanted: Callable[[Entry], WantedEntry],
    version: int | None = None,
) -> Entry:
    """Make of an entry what `wanted` says of what it is now. Raises as `create`.

    Secrets do not follow it to another origin: its installations are then to be filled in again.
    """
    before = await _locked(write, entry_id, version)
    await rows.update(write, entry_id, _sealed(safeguards, entry_id, wanted(before), before))
    after = there(await entries.one(write.connection, entry_id))
    await write.announce(
        installations=await _settle_installations(write, safeguards, before, after),
        entries=[entry_id],
        gateways=await entries.gateways_of(write.connection, entry_id),
    )
    await write.record("update", "entry", entry_id, _recorded(before), _recorded(after))
    return after


async def delete(write: Write, entry_id: str, version: int | None = None, *, cascade: bool = False) -> None:
    """Delete an entry with its tools; with its installations and assignments only if `cascade` says so."""
    before = await _locked(write, entry_id, version)
    installed = await installations.lock_of_entry(write.connection, entry_id)
    refuse_in_use("entry", await entries.dependents(write.connection, entry_id), cascade=cascade)
    gateways = await entries.gateways_of(write.connection, entry_id)
    await rows.delete(write, entry_id)
    await write.announce(installations=[one.id for one in installed], entries=[entry_id], gateways=gateways)
    await write.record("delete", "entry", entry_id, _recorded(before), None)


async def _locked(write: Write, entry_id: str, version: int | None) -> Entry:
    entry = await entries.one(write.connection, entry_id, lock=True)
    if entry is None:
        raise NotThere("entry")
    refuse_stale(version, entry.version)
    return entry


def _sealed(safeguards: Safeguards, entry_id: str, wanted: WantedEntry, before: Entry | None) -> NewEntry:
    checked = check_entry(wanted, dispatch.check(wanted.credential), safeguards.addresses, before)
    if checked.entry.fixed_headers is None:
        sealed = before.fixed_headers if before else None
    else:
        sealed = safeguards.seals.fixed_headers(entry_id, checked.entry.fixed_headers)
    return NewEntry(
        **entry_fields(checked.entry), fixed_headers=sealed, fixed_header_names=checked.fixed_header_names
    )


def _recorded(entry: Entry) -> dict[str, Any]:
    """For the audit trail. What was discovered is told there by discoveries."""
    told = told_of_entry(entry)
    del told["discovery"]
    return told


async def _settle_installations(write: Write, safeguards: Safeguards, before: Entry, after: Entry) -> list[str]:
    """Give the entry's installations the states that the change makes theirs; those that got another one."""
    changed = []
    for one in await installations.lock_of_entry(write.connection, after.id):
        new = state_after(before, after, one, safeguards.addresses)
        if new is not None:
            await installation_rows.set_state(write, one.id, new.state, new.reason)
            changed.append(one.id)
    return changed
