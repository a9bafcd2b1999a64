"""One environment: what it says, what is in it, whether its egress policy holds; a change of it, and its end."""

from functools import partial
from typing import Any

from aiohttp import web

from control.admin.environment_models import EnvironmentChange
from control.changes import environments as changes
from control.changes.egress_probes import probe_again
from control.changes.refusals import NotThere
from control.changes.visible import seen_entries
from control.console import environment_form
from control.console.forms import REFUSALS, Form
from control.console.pages.environments import form_page
from control.console.shown_environments import at_most_of, tolerated_by, usual_of
from control.console.visit import Visit
from control.registry import held_hosts
from control.registry.environment import Environment
from control.registry.owner import TeamOwner
from control.registry.partial import environment_with
from control.registry.usage import cpu_told, memory_told
from control.store import egress_presets, enforcement, entries, environments, gateway_environments, usage
from control.store.pool import Connection, transaction


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit, Form())


async def edit(visit: Visit) -> web.Response:
    """The form of a change."""
    async with transaction(visit.pool, readonly=True) as connection:
        kept = await _found(connection, visit)
    return await form_page(visit, Form({**environment_form.BLANK, **environment_form.given(kept)}), kept)


async def change(visit: Visit) -> web.Response:
    """Change it. What stands in the form is what it is to be, whole."""
    form = await visit.form()
    environment_id = visit.named("environment_id")
    try:
        body = form.read(EnvironmentChange, **environment_form.wanted(form))
        async with visit.changing() as write:
            wanted = partial(environment_with, given=body.model_dump(exclude={"version"}))
            await changes.change(write, visit.deps.safeguards, environment_id, wanted, form.version)
    except REFUSALS as refusal:
        async with transaction(visit.pool, readonly=True) as connection:
            kept = await _found(connection, visit)
        return await form_page(visit, form.refused(refusal, environment_form.field_named), kept)
    return visit.go(f"/environments/{environment_id}", "environment-changed")


async def probe(visit: Visit) -> web.Response:
    """Have what its policy says be tried now."""
    form = await visit.form()
    try:
        async with transaction(visit.pool) as connection:
            kept = await probe_again(connection, visit.named("environment_id"), visit.deps.place)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go(f"/environments/{kept.id}", "probing")


async def delete(visit: Visit) -> web.Response:
    """Delete one that nothing is in."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("environment_id"), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go("/environments", "environment-deleted")


async def _found(connection: Connection, visit: Visit) -> Environment:
    found = await environments.one(connection, visit.named("environment_id"))
    if found is None:
        raise NotThere("environment")
    return found


async def _shown(visit: Visit, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        kept = await _found(connection, visit)
        used = await usage.of_environment(connection, kept)
        inside = seen_entries(await entries.inside(connection, [kept.id]), visit.caller)
        said: dict[str, Any] = {
            "enforcement": (await enforcement.shown_of(connection, [kept], visit.deps.place))[kept.id],
            "presets": await egress_presets.many(connection, kept.presets),
            "usual": usual_of(kept),
            "at_most": at_most_of(kept),
            "tolerated": tolerated_by(kept),
            "serving": await gateway_environments.gateways_naming(connection, kept.id, visit.caller),
        }
    teams = [
        {"team": one.team, "servers": one.usage.servers, "cpu": cpu_told(one.usage.cpu),
         "memory": memory_told(one.usage.memory)}
        for one in used
        if one.team_id is None or visit.caller.may_for("team:read", TeamOwner(one.team_id))
    ]  # fmt: skip
    return visit.again(
        "environments/environment.html",
        form,
        environment=kept,
        teams=teams,
        inside=[one.slug for one in inside],
        shut_out=[one.slug for one in inside if held_hosts.shut_out(one)],
        probes=visit.deps.place == "cluster" and kept.egress is not None,
        **said,
    )
