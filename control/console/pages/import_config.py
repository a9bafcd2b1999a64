"""Servers that a client is configured with, as entries: its file is pasted, looked at, and what is ticked is added.

Nothing is saved before that, and all or none of what is ticked is. What could be a secret became a question on the
way, and is never shown again.
"""

from dataclasses import replace

from aiohttp import web

from control.admin.entry_models import EntryCreate
from control.catalog.listed import catalog
from control.changes import entries as changes
from control.console import import_form
from control.console.forms import REFUSALS, Form
from control.console.pages.registry import choices_for_entries, of_team
from control.console.visit import Visit
from control.http.reading import checked
from control.registry.partial import new_entry
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The form that takes the file."""
    return visit.again("registry/import.html", Form({import_form.CONFIG: ""}))


async def look(visit: Visit) -> web.Response:
    """What was found in the file; or what is wrong with it."""
    form = await visit.form()
    try:
        found = import_form.read_file(form, catalog())
    except REFUSALS as refusal:
        return visit.again("registry/import.html", import_form.without_file(form).refused(refusal))
    if not visit.caller.may("entry:create"):
        return await _found(visit, _with(found, visit.caller.teams_with("entry:create")[0]))
    return await _found(visit, _with(found, ""))


async def add(visit: Visit) -> web.Response:
    """Add what is ticked; nothing, where one of them is refused."""
    form = await visit.form()
    wanted = list(import_form.bodies(form))
    if not wanted:
        return await _found(visit, replace(form, problem="Tick at least one server.", status=422))
    owned = of_team({"team_id": form.value("team_id") or None})
    number = 0
    try:
        async with visit.changing() as write:
            for number, body in wanted:  # noqa: B007  # says which one was refused
                one = checked(EntryCreate, body | owned)
                await changes.create(
                    write, visit.deps.safeguards, new_entry(one.model_dump(), one.model_fields_set)
                )  # fmt: skip
    except REFUSALS as refusal:
        return await _found(visit, form.refused(refusal, lambda path: import_form.field_of(form, number, path)))
    return visit.go("/registry", "entry-made" if len(wanted) == 1 else "entries-made")


def _with(form: Form, team_id: str) -> Form:
    return replace(form, given={**form.given, "team_id": team_id})


async def _found(visit: Visit, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await choices_for_entries(connection, visit)
    servers, left = import_form.rows(form), import_form.left_out(form)
    return visit.again(
        "registry/import_found.html",
        form,
        servers=servers,
        left=left,
        owners=choices["owners"],
        runs=choices["runs"],
    )
