"""One tool of a gateway: under which name, and with whose installation; how both are changed, and how it goes."""

from typing import Any

from aiohttp import web

from control.admin.gateway_models import AssignmentCreate, AssignmentPatch
from control.changes import assignments as changes
from control.changes.refusals import NotThere
from control.changes.visible import visible_gateway
from control.console.forms import REFUSALS, Form
from control.console.pin_choices import AT_CALL_TIME, pin_choices
from control.console.visit import Visit
from control.http.reading import checked
from control.registry.assignment import Assignment
from control.registry.gateway import Gateway
from control.registry.gateway_access import may_manage_gateway
from control.registry.usability import why_not_called
from control.store import assignments, gateways, tools
from control.store.pool import Connection, transaction


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit)


async def change(visit: Visit) -> web.Response:
    """Give it another name, or another installation."""
    form = await visit.form()
    try:
        wanted = _asked(form)
        async with visit.changing() as write:
            await changes.change(
                write, visit.named("gateway_id"), visit.named("assignment_id"), wanted, form.version
            )  # fmt: skip
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go(f"/gateways/{visit.named('gateway_id')}", "tool-saved")


async def again(visit: Visit) -> web.Response:
    """Show it once more, under another name and with another installation."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            _gateway, found = await _found(visit, write.connection)
            asked = form.read(
                AssignmentCreate,
                leave_out={"exposed_name"},
                entry=found.entry_id,
                tools=[found.tool_name],
                installation=form.value("installation") or None,
            )
            await changes.create(write, found.gateway_id, changes.WantedTools(**asked.model_dump()))
    except REFUSALS as refusal:
        return await _shown(visit, more=form.refused(refusal))
    return visit.go(f"/gateways/{visit.named('gateway_id')}", "tool-added")


async def remove(visit: Visit) -> web.Response:
    """Take it off the gateway."""
    await visit.form()
    async with visit.changing() as write:
        await changes.delete(write, visit.named("gateway_id"), visit.named("assignment_id"))
    return visit.go(f"/gateways/{visit.named('gateway_id')}", "tool-removed")


async def _found(visit: Visit, connection: Connection) -> tuple[Gateway, Assignment]:
    """The tool that the page is about, and its gateway; raises NotThere where the person does not see them."""
    found = await gateways.one(connection, visit.named("gateway_id"))
    gateway = visible_gateway(found, visit.caller, "assignment:read")
    one = await assignments.one(connection, gateway.id, visit.named("assignment_id"))
    if one is None:
        raise NotThere("assignment")
    return gateway, one


async def _shown(visit: Visit, form: Form | None = None, more: Form | None = None) -> web.Response:
    caller = visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        gateway, one = await _found(visit, connection)
        tool = await tools.one(connection, one.entry_id, one.tool_id)
        judged = (await gateways.assigned_tools(connection, [gateway.id]))[gateway.id]
        pins = (await pin_choices(connection, caller, gateway, [one.entry_id]))[one.entry_id]
    shown = form or _form_of(one)
    return visit.page(
        "gateways/tool.html",
        status=max(shown.status, (more or shown).status),
        gateway=gateway,
        one=one,
        tool=tool,
        why_not=next((why_not_called(each) for each in judged if each.exposed_name == one.exposed_name), None),
        pins=_with_its_own(pins, one),
        form=shown,
        more=more or Form({"exposed_name": "", "installation": AT_CALL_TIME[0]}),
        changes=may_manage_gateway(caller, "assignment:update", gateway),
        adds=may_manage_gateway(caller, "assignment:create", gateway),
        removes=may_manage_gateway(caller, "assignment:delete", gateway),
    )


def _asked(form: Form) -> dict[str, Any]:
    """What is to change. The pin that it had is not asked for again: somebody else may have chosen it."""
    wanted = {"exposed_name": form.value("exposed_name"), "installation": form.value("installation") or None}
    if form.value("installation") == form.value("pinned"):
        del wanted["installation"]
    return checked(AssignmentPatch, wanted).changes()


def _form_of(one: Assignment) -> Form:
    return Form(
        {
            "exposed_name": one.exposed_name,
            "installation": one.installation_id or "",
            "pinned": one.installation_id or "",
            "version": str(one.version),
        }
    )


def _with_its_own(pins: list[tuple[str, str]], one: Assignment) -> list[tuple[str, str]]:
    """The choices with the pin that it has, which somebody else may have chosen."""
    if one.installation_id is None or any(value == one.installation_id for value, _ in pins):
        return pins
    return [*pins, (one.installation_id, one.installation_name or "an installation of others")]
