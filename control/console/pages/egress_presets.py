"""Egress presets: destinations that environments name. The list, another one, a change of one, and its end."""

from aiohttp import web

from control.admin.egress_preset_models import EgressPresetChange, EgressPresetQuery, NewEgressPresetBody
from control.changes import egress_presets as changes
from control.changes.refusals import NotThere
from control.console.destination_form import given_of, named_in
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.egress import NewEgressPreset, told_of_preset
from control.store import egress_presets
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(EgressPresetQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await egress_presets.page(connection, limit=query.fetch, after=query.place, name=query.name)
    page = page_of(rows, query, told_of_preset, lambda one: place_key(one.name, one.id))
    return visit.page("egress_presets/list.html", presets=page.items, next=page.next, query=query)


async def new(visit: Visit) -> web.Response:
    """The form of another one."""
    blank = {"name": "", "description": "", "cidrs": "", "domains": "", "ports": "443"}
    return visit.again("egress_presets/form.html", Form(blank), preset=None, naming=[])


async def create(visit: Visit) -> web.Response:
    """Make it."""
    form = await visit.form()
    try:
        wanted = form.read(NewEgressPresetBody, **named_in(form))
        async with visit.changing() as write:
            await changes.create(write, NewEgressPreset(**wanted.model_dump()))
    except REFUSALS as refusal:
        return visit.again("egress_presets/form.html", form.refused(refusal), preset=None, naming=[])
    return visit.go("/egress-presets", "preset-made")


async def one(visit: Visit) -> web.Response:
    """What it allows, to be changed by whoever may."""
    return await _shown(visit)


async def change(visit: Visit) -> web.Response:
    """Change it, and so each environment that names it."""
    form = await visit.form()
    try:
        wanted = form.read(EgressPresetChange, **named_in(form))
        async with visit.changing() as write:
            await changes.change(write, visit.named("egress_preset_id"), wanted.changes(), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go(f"/egress-presets/{visit.named('egress_preset_id')}", "saved")


async def delete(visit: Visit) -> web.Response:
    """Delete one that no environment names."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("egress_preset_id"), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go("/egress-presets", "preset-deleted")


async def _shown(visit: Visit, refused: Form | None = None) -> web.Response:
    preset_id = visit.named("egress_preset_id")
    async with transaction(visit.pool, readonly=True) as connection:
        found = await egress_presets.one(connection, preset_id)
        if found is None:
            raise NotThere("egress preset")
        naming = await egress_presets.environments_naming(connection, preset_id)
    kept = {"name": found.name, "description": found.description, "version": str(found.version), **given_of(found)}
    if refused is None:
        form = Form(kept)
    else:  # one that was refused as a whole, such as its end, has no fields of its own
        form = Form({**kept, **refused.given}, refused.errors, refused.problem, refused.status)
    return visit.again("egress_presets/form.html", form, preset=found, naming=naming)
