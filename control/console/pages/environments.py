"""Environments: where entries are put, and what each keeps them to. The list, and another one."""

from collections import Counter

import msgspec
from aiohttp import web

from control.admin.environment_models import EnvironmentQuery, NewEnvironment
from control.changes import environments as changes
from control.changes.visible import seen_entries
from control.console import environment_form
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry import environment
from control.store import egress_presets, enforcement, entries, environments
from control.store.pool import transaction

_MOST_PRESETS = 200


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(EnvironmentQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await environments.page(connection, limit=query.fetch, after=query.place, name=query.name)
        seen = await enforcement.shown_of(connection, rows, visit.deps.place)
        inside = seen_entries(await entries.inside(connection, [one.id for one in rows]), visit.caller)
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.name, one.id))
    shown = [one["row"] for one in page.items]
    entries_in = Counter(one.environment_id for one in inside)
    return visit.page(
        "environments/list.html", rows=shown, enforcement=seen, entries_in=entries_in, next=page.next, query=query
    )


async def new(visit: Visit) -> web.Response:
    """The form of another one."""
    return await form_page(visit, Form(environment_form.BLANK))


async def create(visit: Visit) -> web.Response:
    """Make it."""
    form = await visit.form()
    try:
        body = form.read(NewEnvironment, **environment_form.wanted(form))
        async with visit.changing() as write:
            wanted = msgspec.convert(body.model_dump(), environment.NewEnvironment)
            made = await changes.create(write, visit.deps.safeguards, wanted)
    except REFUSALS as refusal:
        return await form_page(visit, form.refused(refusal, environment_form.field_named))
    return visit.go(f"/environments/{made.id}", "environment-made")


async def form_page(visit: Visit, form: Form, kept: environment.Environment | None = None) -> web.Response:
    """The form of a new environment, or of a change of the one that is `kept`."""
    async with transaction(visit.pool, readonly=True) as connection:
        presets = await egress_presets.page(connection, limit=_MOST_PRESETS, after=None)
    return visit.again(
        "environments/form.html",
        form,
        environment=kept,
        presets=[(one.id, one.name, ", ".join((*one.cidrs, *one.domains)[:3])) for one in presets],
        modes=environment_form.MODES,
        namespaces=visit.deps.safeguards.namespaces,
    )
