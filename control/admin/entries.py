"""`/entries`: the servers that are approved, how they are asked, and who sees them.

Written by `control/changes/entries.py`, where a change is also felt by installations and gateways.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from control.admin.api import Asked, Operations
from control.admin.credential_models import statement_shown
from control.admin.entry_models import EntryCreate, EntryDelete, EntryPatch, EntryQuery, EntryView, FieldBody
from control.admin.labels import label_filter
from control.admin.resource import shown
from control.admin.run_models import run_shown
from control.changes import entries as changes
from control.changes import overrides
from control.changes.visible import visible_entry
from control.changes.write import Write
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry.entry import Entry, told_of_entry
from control.registry.exchange_warnings import exchange_warnings, provider_named
from control.registry.held_hosts import held_to, held_warnings
from control.registry.identity_provider import IdentityProvider
from control.registry.partial import entry_with, new_entry
from control.registry.run_warnings import run_warnings
from control.store import entries, identity_providers
from control.store.pool import Connection, transaction

operations = Operations("entries")


@operations.get("/entries")
async def list_entries(asked: Asked, query: EntryQuery) -> Page[EntryView]:
    """List the entries that the caller may see, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await entries.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=asked.caller.may("entry:read"),
            teams=list(asked.caller.teams),
            label=label_filter(query.label),
            text=query.text,
            credential=query.credential_model,
            environment_id=query.environment_id,
        )
        providers = await _providers(connection, found)
    return page_of(found, query, lambda one: _view(asked, one, providers), lambda one: place_key(one.name, one.id))


@operations.post("/entries")
async def create_entry(asked: Asked, body: EntryCreate) -> EntryView:
    """Approve a remote server: for the organisation, or as the own entry of a team that one is an editor of."""
    wanted = new_entry(body.model_dump(), body.model_fields_set)
    note = ""
    if body.run is not None and body.run.override:
        note = await _tried_out(asked, lambda write: changes.create(write, asked.deps.safeguards, wanted))
    async with asked.changing() as write:
        made = await changes.create(write, asked.deps.safeguards, wanted)
    return await _looked_at(asked, made, note)


@operations.get("/entries/{entry_id}")
async def read_entry(asked: Asked, entry_id: Id) -> EntryView:
    """Show an entry."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = visible_entry(await entries.one(connection, entry_id), asked.caller)
        return _view(asked, found, await _providers(connection, [found]))


@operations.patch("/entries/{entry_id}")
async def change_entry(asked: Asked, entry_id: Id, body: EntryPatch) -> EntryView:
    """Change an entry. Secrets do not follow it to another URL: its installations are then filled in again."""
    given, note = body.changes(), ""
    if (given.get("run") or {}).get("override"):
        safeguards, wanted = asked.deps.safeguards, partial(entry_with, given=given)
        note = await _tried_out(asked, lambda write: changes.change(write, safeguards, entry_id, wanted))
    async with asked.changing() as write:
        changed, version = None, asked.version
        if "discovery_installation_id" in given:
            through = given.pop("discovery_installation_id")
            changed, version = await changes.discover_through(write, entry_id, through, version), None
        if given or changed is None:
            wanted = partial(entry_with, given=given)
            changed = await changes.change(
                write, asked.deps.safeguards, entry_id, wanted, version, places="environment_id" in given
            )
    return await _looked_at(asked, changed, note, looks="url" in body.model_fields_set)


@operations.delete("/entries/{entry_id}")
async def delete_entry(asked: Asked, entry_id: Id, query: EntryDelete) -> None:
    """Delete an entry. One that is in use goes, with all that depends on it, only when `cascade` says so.

    One that is in a restricted environment needs `environment:deploy-to-restricted`: it is taken out of it.
    """
    async with asked.changing() as write:
        await changes.delete(write, entry_id, asked.version, cascade=query.cascade)


async def _tried_out(asked: Asked, change: Callable[[Write], Awaitable[Entry]]) -> str:
    """Why the cluster was not asked whether it takes the entry's override; '' where it does."""
    return await overrides.tried_out(asked.pool, asked.caller, asked.deps.runtime, change)


async def _looked_at(asked: Asked, entry: Entry, note: str = "", *, looks: bool = True) -> EntryView:
    """The entry that was saved, with what a first look at its URL tells. That it tells nothing undoes nothing."""
    redirect = await asked.deps.discoverer.look(entry) if looks else None
    async with transaction(asked.pool, readonly=True) as connection:
        return _view(asked, entry, await _providers(connection, [entry]), [one for one in (note, redirect) if one])


async def _providers(connection: Connection, found: Sequence[Entry]) -> Mapping[str, IdentityProvider]:
    """The identity providers that give tokens for these entries, by identifier."""
    named = {one for entry in found if (one := provider_named(entry))}
    return await identity_providers.many(connection, named) if named else {}


def _view(
    asked: Asked, entry: Entry, providers: Mapping[str, IdentityProvider], warnings: Sequence[str] = ()
) -> EntryView:
    told = told_of_entry(entry)
    known = [*run_warnings(entry, asked.deps.place), *held_warnings(entry)]
    fields = [FieldBody.model_construct(**one) for one in told["fields"]]
    return shown(
        EntryView, told, fields=fields, run=run_shown(told["run"]),
        warnings=[*warnings, *known, *exchange_warnings(entry, providers)],
        held_to=held_to(entry),
        caller_statement=statement_shown(entry.caller_statement),
    )  # fmt: skip
