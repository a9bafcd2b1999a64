"""What an entry says over its server's Deployment: written, tried, and saved, with what it makes beside it."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from control.changes import entries as changes
from control.changes import overrides
from control.changes.visible import visible_entry
from control.changes.write import Write
from control.console import server_form
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.registry.entry import Entry
from control.registry.partial import entry_with
from control.store import entries
from control.store.pool import transaction

_TEXT = "override"
_NAMED: Final[Mapping[str, str]] = {overrides.FIELD: _TEXT, server_form.SECRETS: server_form.ITS_SECRETS}
"""What the page calls paths of the API; secrets have no field here, so that this stands above the form."""


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit, None)


async def save(visit: Visit) -> web.Response:
    """Save it; or show what it makes, where the form asks for that, or where something is wrong with it."""
    form, entry_id = await visit.form(kept=(_TEXT,)), visit.named("entry_id")
    given = {"run": {"override": form.value(_TEXT)}}

    async def change(write: Write) -> Entry:
        return await changes.change(
            write, visit.deps.safeguards, entry_id, lambda before: entry_with(before, given), form.version
        )

    if form.flag("try"):
        return await _shown(visit, form)
    try:
        note = await overrides.tried_out(visit.pool, visit.caller, visit.deps.runtime, change)
        async with visit.changing() as write:
            await change(write)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal, lambda path: _NAMED.get(path, path)))
    return visit.go(f"/registry/{entry_id}", "override-not-tried" if note else "saved")


async def _shown(visit: Visit, form: Form | None) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        entry = visible_entry(await entries.one(connection, visit.named("entry_id")), visit.caller)
        if form is None:
            form = Form({_TEXT: overrides.override_of(entry.reached), "version": str(entry.version)})
        found = await overrides.previewed(connection, visit.deps.safeguards, entry, form.value(_TEXT))
    return visit.again("registry/override.html", form, entry=entry, found=found)
