"""One entry: its tools, its installations, the gateways that show it; how it is changed and deleted."""

from datetime import datetime
from typing import Any

from aiohttp import web

from control.admin.entry_models import EntryPatch
from control.changes import entries as changes
from control.changes.visible import managed_entry, visible_entry
from control.console.entry_form import BLANK, OF_THE_CLIENT, form_field, form_of_entry, made_of, tidied
from control.console.environment_choices import at_its_field
from control.console.form_rows import with_buttons
from control.console.forms import REFUSALS, Form
from control.console.pages.registry import choices_for_entries
from control.console.seen_gateways import seen_by
from control.console.server_form import typed_command
from control.console.shown_entries import ShownEntry
from control.console.shown_installations import ShownInstallation
from control.console.shown_servers import shown_server
from control.console.visit import Visit
from control.http.paging import NamedPageQuery, page_of, place_key
from control.registry.credential import kind_of
from control.registry.entry import Entry, bound_origin, told_of_reached
from control.registry.entry_tool import EntryTool, told_of_tool
from control.registry.exchange_warnings import exchange_warnings, provider_named
from control.registry.held_hosts import held_warnings
from control.registry.partial import entry_with
from control.registry.run_warnings import run_warnings
from control.registry.self_hosted import SelfHosted
from control.registry.team_entries import entry_owner
from control.store import (
    enforcement,
    entries,
    environments,
    gateways,
    identity_providers,
    installations,
    registry_counts,
    teams,
    tools,
)
from control.store.pool import Connection, transaction
from control.store.standings import standings

_MOST_SHOWN = 50


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await shown(visit)


async def change_form(visit: Visit) -> web.Response:
    """The form that changes it."""
    async with transaction(visit.pool, readonly=True) as connection:
        entry = await found(connection, visit)
        managed_entry(entry, visit.caller, "entry:update")
    return await _changing(visit, entry, form_of_entry(entry))


async def change(visit: Visit) -> web.Response:
    """Change it; or show the form again after one of the buttons of its rows."""
    form = await visit.form()
    async with transaction(visit.pool, readonly=True) as connection:
        entry = await found(connection, visit)
    if (more := with_buttons(form, BLANK)) is not None:
        return await _changing(visit, entry, more)
    form = tidied(form)
    mounted = entry.reached.mounted if isinstance(entry.reached, SelfHosted) else ()
    try:
        made = made_of(form, new=False, mounted=mounted)
        given = form.read(EntryPatch, leave_out={OF_THE_CLIENT}, **made).changes()
        if given["team_id"] is not None:
            given |= {"visibility": "teams", "teams": [given["team_id"]]}
        async with visit.changing() as write:
            changed = await changes.change(
                write,
                visit.deps.safeguards,
                entry.id,
                lambda before: entry_with(before, given),
                form.version,
                places="environment_id" in given,
            )
    except REFUSALS as refusal:
        refused = form.refused(refusal, lambda path: form_field(form, path))
        return await _changing(visit, entry, at_its_field(refused, refusal, entry.environment_id))
    moved = _place(changed) != _place(entry)
    return visit.go(f"/registry/{entry.id}", "entry-moved" if moved else "entry-changed")


async def discover_through(visit: Visit) -> web.Response:
    """Find its tools through another installation from now on: the one that is named, or one that is ready."""
    form = await visit.form()
    try:
        chosen = form.read(EntryPatch, discovery_installation_id=form.value("installation_id") or None)
        async with visit.changing() as write:
            await changes.discover_through(
                write, visit.named("entry_id"), chosen.discovery_installation_id, form.version
            )
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    return visit.go(f"/registry/{visit.named('entry_id')}", "discovers-through")


async def delete(visit: Visit) -> web.Response:
    """Delete it with all that depends on it, which the page named before."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("entry_id"), form.version, cascade=form.flag("cascade"))
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    return visit.go("/registry", "entry-deleted")


async def found(connection: Connection, visit: Visit) -> Entry:
    """The entry of the page; raises NotThere."""
    return visible_entry(await entries.one(connection, visit.named("entry_id")), visit.caller)


async def shown(visit: Visit, form: Form | None = None) -> web.Response:
    """The page; `form`: one of its forms that was refused."""
    query, caller = visit.query(NamedPageQuery), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        entry = await found(connection, visit)
        rows = await tools.page(connection, entry.id, limit=query.fetch, after=query.place)
        counts = await registry_counts.of_entries(connection, [entry.id], caller)
        installed = await installations.page(
            connection,
            limit=_MOST_SHOWN,
            after=None,
            everything=caller.may("installation:read"),
            user_id=caller.user_id,
            teams=caller.teams_with("installation:read"),
            entry_id=entry.id,
        )
        stand = await standings(connection, installed)
        showing = await registry_counts.gateways_showing(connection, entry.id)
        owner = await teams.one(connection, entry.team_id) if entry.team_id else None
        seeing = [await teams.one(connection, one) for one in entry.teams[:_MOST_SHOWN]]
        inside = await environments.one(connection, entry.environment_id) if entry.environment_id else None
        seen = await enforcement.shown_of_entry(connection, entry, inside, visit.deps.place)
        named = provider_named(entry)
        providers = await identity_providers.many(connection, [named]) if named else {}
        deletes = caller.may_for("entry:delete", entry_owner(entry))
        going = await _going(connection, visit, entry) if deletes else None
    page = page_of(rows, query, _row, lambda one: place_key(one.name, one.id))
    kind = kind_of(entry.credential)
    return visit.again(
        "registry/entry.html",
        form or Form(),
        shown=ShownEntry(entry, counts[entry.id]),
        entry=entry,
        discovered_at=_moment_of(entry),
        told=told_of_reached(entry.reached),
        starts=typed_command(_command(entry)),
        warnings=[
            *run_warnings(entry, visit.deps.place),
            *held_warnings(entry),
            *exchange_warnings(entry, providers),
        ],
        kind=kind,
        inside=inside,
        enforcement=seen,
        tools=page.items,
        next=page.next,
        query=query,
        installed=[
            ShownInstallation(one, kind, stand[one.id], server=shown_server(entry, one, visit.deps.place))
            for one in installed
        ],
        showing=seen_by(caller, [one.gateway for one in showing]),
        shown_on={one.gateway.id: one for one in showing},
        owner=owner,
        seeing=[one.name for one in seeing if one is not None],
        changes=caller.may_for("entry:update", entry_owner(entry)),
        curates=caller.may_for("tool:update", entry_owner(entry)),
        going=going,
    )


def _row(tool: EntryTool) -> dict[str, Any]:
    return {**told_of_tool(tool), "discovered_at": tool.discovered_at}


def _place(entry: Entry) -> str:
    """What its secrets go to."""
    return str(told_of_reached(entry.reached)["url"]) or bound_origin(entry.reached)


def _command(entry: Entry) -> tuple[str, ...]:
    """What starts its server, where we run it."""
    return entry.reached.command if isinstance(entry.reached, SelfHosted) else ()


def _moment_of(entry: Entry) -> datetime | None:
    """When its tools were last found."""
    return datetime.fromisoformat(entry.discovery["at"]) if "at" in entry.discovery else None


async def _going(connection: Connection, visit: Visit, entry: Entry) -> list[str]:
    """What goes with the entry when it is deleted, in words."""
    installed = await installations.of_entry_in_words(connection, entry.id, visit.caller)
    return installed + await gateways.showing_in_words(connection, visit.caller, entry_id=entry.id)


async def _changing(visit: Visit, entry: Entry, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await choices_for_entries(connection, visit, entry.environment_id)
        going = await _going(connection, visit, entry)
    if entry.team_id is not None:  # the organisation may take it over, and it never becomes another team's
        choices["owners"] = [one for one in choices["owners"] if one[0] in {"", entry.team_id}]
    else:
        choices["owners"] = []
    return visit.again("registry/change.html", form, entry=entry, going=going, **choices)
