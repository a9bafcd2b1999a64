"""The registry: the servers that are approved, as cards that are found by text, label and kind; and another one."""

from typing import Any

from aiohttp import web

from control.accounts.our_client import callback_of
from control.admin.entry_models import EntryCreate, EntryQuery
from control.admin.labels import label_filter
from control.catalog.listed import catalog
from control.changes import entries as changes
from control.console.credential_form import kind_label, kinds
from control.console.entry_form import (
    BLANK,
    OF_THE_CLIENT,
    form_field,
    form_of_catalog,
    made_of,
    new_entry_form,
    tidied,
)
from control.console.environment_choices import at_its_field, environment_choices
from control.console.form_rows import with_buttons
from control.console.forms import REFUSALS, Form
from control.console.pages import pull_secrets
from control.console.shown_entries import ShownEntry
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.credential import KINDS
from control.registry.owner import TeamOwner
from control.registry.partial import new_entry
from control.store import entries, identity_providers, registry_counts, teams
from control.store.pool import Connection, transaction

_MOST_TEAMS = 200


async def show(visit: Visit) -> web.Response:
    """The cards, by name."""
    query, caller = visit.query(EntryQuery), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await entries.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=caller.may("entry:read"),
            teams=list(caller.teams),
            label=label_filter(query.label),
            text=query.text,
            credential=query.credential_model,
        )
        counts = await registry_counts.of_entries(connection, [one.id for one in rows], caller)
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.name, one.id))
    shown = [ShownEntry(one["row"], counts[one["row"].id]) for one in page.items]
    labelled = [(one, kind_label(one)) for one in KINDS]
    return visit.page("registry/list.html", entries=shown, next=page.next, query=query, kinds=labelled)


async def of_catalog(visit: Visit) -> web.Response:
    """Well-known hosted servers, each with what is left to do by hand."""
    return visit.page("registry/catalog.html", servers=catalog(), kind_label=kind_label, callback=_callback(visit))


async def new(visit: Visit) -> web.Response:
    """The form of another one; filled in where the address names a server of the catalog."""
    name = visit.request.query.get("from", "")
    listed = next((one for one in catalog() if one.slug == name), None)
    form = new_entry_form() if listed is None else form_of_catalog(listed)
    if not visit.caller.may("entry:create"):
        form = Form({**form.given, "team_id": visit.caller.teams_with("entry:create")[0]})
    return await _asked(visit, form)


async def create(visit: Visit) -> web.Response:
    """Add it; or show the form again after one of the buttons of its rows."""
    form = await visit.form()
    if (more := with_buttons(form, BLANK)) is not None:
        return await _asked(visit, more)
    form = tidied(form)
    try:
        wanted = form.read(EntryCreate, leave_out={OF_THE_CLIENT}, **of_team(made_of(form, new=True)))
        async with visit.changing() as write:
            made = await changes.create(
                write, visit.deps.safeguards, new_entry(wanted.model_dump(), wanted.model_fields_set)
            )
    except REFUSALS as refusal:
        refused = form.refused(refusal, lambda path: form_field(form, path))
        return await _asked(visit, at_its_field(refused, refusal))
    return visit.go(f"/registry/{made.id}", "entry-made")


async def choices_for_entries(
    connection: Connection, visit: Visit, environment_id: str | None = None
) -> dict[str, Any]:
    """What the form of an entry offers: teams that may see it, owners that it may have, kinds of credentials, the
    address that is registered at a provider, and environments, with the one that it is in.
    """
    caller, every = visit.caller, visit.caller.may("entry:create")
    found = await teams.page(
        connection, limit=_MOST_TEAMS, after=None, member=None if caller.may("team:read") else caller.user_id
    )
    providers = await identity_providers.all_enabled(connection) if caller.may("identity_provider:update") else []
    owners = [("", "The organisation")] if every else []
    owners += [(one.id, f"The team {one.name}") for one in found if caller.may_for("entry:create", TeamOwner(one.id))]
    return {
        "teams": found,
        "owners": owners,
        "kinds": kinds([(one.id, one.name) for one in providers if one.exchange.enabled]),
        "callback": _callback(visit),
        "runs": (visit.deps.place or "") if caller.may("entry:run") else "not by you",
        "pulls": await pull_secrets.choices(connection, visit),
        "environments": await environment_choices(connection, caller, [environment_id] if environment_id else []),
    }


def _callback(visit: Visit) -> str:
    """Where people come back to from a provider, before the short name of the entry."""
    return callback_of(visit.deps.issuer_url, "")


def of_team(given: dict[str, Any]) -> dict[str, Any]:
    """A team's own entry is shown to that team, and to nobody else: it is not asked who sees it."""
    if given["team_id"] is None:
        return given
    return given | {"visibility": "teams", "teams": [given["team_id"]]}


async def _asked(visit: Visit, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await choices_for_entries(connection, visit)
    return visit.again("registry/new.html", form, **choices)
