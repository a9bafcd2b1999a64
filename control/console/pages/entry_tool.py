"""One tool of an entry: what it says of itself, how that changed since somebody looked; quarantine and release."""

from typing import Literal

import orjson
from aiohttp import web

from control.changes import entry_tools as changes
from control.changes.refusals import NotThere
from control.changes.visible import visible_entry
from control.console.forms import REFUSALS, Form
from control.console.seen_gateways import seen_by
from control.console.visit import Visit
from control.registry.entry_tool import told_of_tool
from control.registry.team_entries import entry_owner
from control.store import entries, gateways, tools
from control.store.pool import transaction

_LONGEST_SCHEMA = 20_000


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit, Form())


async def quarantine(visit: Visit) -> web.Response:
    """Refuse it on every gateway, within a second."""
    return await _set(visit, "quarantined", "tool-quarantined")


async def release(visit: Visit) -> web.Response:
    """Take it out of quarantine."""
    return await _set(visit, "active", "tool-released")


async def acknowledge(visit: Visit) -> web.Response:
    """Somebody has looked at what changed: gateways warn of it no more."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.acknowledge(write, visit.named("entry_id"), visit.named("tool_id"), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "tool-acknowledged")


async def _set(visit: Visit, state: Literal["active", "quarantined"], said: str) -> web.Response:
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.set_state(write, visit.named("entry_id"), visit.named("tool_id"), state, form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, said)


def _back(visit: Visit, said: str) -> web.Response:
    return visit.go(f"/registry/{visit.named('entry_id')}/tools/{visit.named('tool_id')}", said)


async def _shown(visit: Visit, form: Form) -> web.Response:
    entry_id, caller = visit.named("entry_id"), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        entry = visible_entry(await entries.one(connection, entry_id), caller, "tool:read")
        tool = await tools.one(connection, entry_id, visit.named("tool_id"))
        if tool is None:
            raise NotThere("tool")
        on = await gateways.many(connection, await tools.gateways_of(connection, tool.id))
    schema = orjson.dumps(tool.definition.get("inputSchema", {}), option=orjson.OPT_INDENT_2).decode()
    return visit.again(
        "registry/tool.html",
        form,
        entry=entry,
        tool=told_of_tool(tool),
        schema=schema[:_LONGEST_SCHEMA],
        cut=len(schema) > _LONGEST_SCHEMA,
        showing=seen_by(caller, sorted(on.values(), key=lambda one: one.name.lower())),
        curates=caller.may_for("tool:update", entry_owner(entry)),
    )
