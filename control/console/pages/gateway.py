"""One gateway: where it is, whether it can be used, who comes in, what it shows, and how it is changed and deleted.

Its tools are picked in `gateway_tools.py`; one of them is changed in `gateway_tool.py`.
"""

from aiohttp import web

from control.admin.gateway_models import GatewayPatch
from control.changes import gateways as changes
from control.changes.gateways import managed
from control.console.admitted import admitted_at
from control.console.forms import REFUSALS, Form
from control.console.gateway_choices import gateway_choices
from control.console.gateway_form import form_of_gateway, gathered, made_of
from control.console.last_call import told
from control.console.shown_gateways import named
from control.console.visit import Visit
from control.http.paging import NamedPageQuery, page_of, place_key
from control.registry.gateway import Gateway, ways_in
from control.registry.gateway_access import may_manage_gateway
from control.registry.lending import lending_warnings
from control.registry.partial import gateway_with
from control.registry.record_access import principals_read_by
from control.registry.usability import why_not_called
from control.registry.visibility import sees
from control.store import assignments, gateway_environments, gateways, lending, names_by_id, records
from control.store.pool import transaction
from control.store.records import Wanted


async def show(visit: Visit) -> web.Response:
    """The page."""
    caller, query = visit.caller, visit.query(NamedPageQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        shown = await named(connection, caller, visit.deps.public_url, visit.named("gateway_id"))
        gateway = shown.gateway
        lists = sees(caller, "assignment:read", gateway.visibility, gateway.teams, gateway.owner_id)
        rows = await assignments.page(connection, gateway.id, limit=query.fetch, after=query.place) if lists else []
        judged = (await gateways.assigned_tools(connection, [gateway.id]))[gateway.id]
        admitted = await admitted_at(connection, gateway)
        owner = await names_by_id.people(connection, [gateway.owner_id] if gateway.owner_id else [])
        teams = await names_by_id.teams(connection, gateway.teams)
        serves = await gateway_environments.names(connection, gateway.environments)
        changing = may_manage_gateway(caller, "gateway:update", gateway)
        lent = await lending.lent_on(connection, [gateway.id]) if changing else []
        deleting = may_manage_gateway(caller, "gateway:delete", gateway)
        going = await gateways.goes_with(connection, gateway.id) if deleting else None
        wanted = Wanted(gateway_id=gateway.id, principals=principals_read_by(caller))
        last = await records.page(connection, wanted, limit=1, before=None)
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.exposed_name, one.id))
    return visit.page(
        "gateways/gateway.html",
        shown=shown,
        gateway=gateway,
        assigned=[one["row"] for one in page.items],
        next=page.next,
        query=query,
        why_not={one.exposed_name: why for one in judged if (why := why_not_called(one))},
        lists=lists,
        lent=lending_warnings(lent),
        admitted=admitted,
        ways=ways_in(gateway),
        teams=list(teams.values()),
        serves=serves,
        owner=owner.get(gateway.owner_id or "", ""),
        changes=changing,
        assigns=may_manage_gateway(caller, "assignment:create", gateway),
        going=going,
        last=told(last[0]) if last else None,
    )


async def edit(visit: Visit) -> web.Response:
    """The form that changes it."""
    gateway = await _managed(visit)
    return await _editing(visit, gateway, form_of_gateway(gateway))


async def change(visit: Visit) -> web.Response:
    """Change it; proxies have it within a second."""
    form = gathered(await visit.form())
    try:
        given = form.read(GatewayPatch, **made_of(form)).changes()
        async with visit.changing() as write:
            await changes.change(
                write, visit.named("gateway_id"), lambda before: gateway_with(before, given), form.version
            )  # fmt: skip
    except REFUSALS as refusal:
        return await _editing(visit, await _managed(visit), form.refused(refusal))
    return visit.go(f"/gateways/{visit.named('gateway_id')}", "gateway-saved")


async def delete(visit: Visit) -> web.Response:
    """Delete it with its assignments; its URL is unknown from then on."""
    await visit.form()
    async with visit.changing() as write:
        await changes.delete(write, visit.named("gateway_id"))
    return visit.go("/gateways", "gateway-deleted")


async def _managed(visit: Visit) -> Gateway:
    async with transaction(visit.pool, readonly=True) as connection:
        found = await gateways.one(connection, visit.named("gateway_id"))
    return managed(found, visit.caller, "gateway:update")


async def _editing(visit: Visit, gateway: Gateway, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await gateway_choices(connection, visit.caller, "gateway:update", gateway)
    assigns = may_manage_gateway(visit.caller, "assignment:create", gateway)
    return visit.again("gateways/edit.html", form, gateway=gateway, choices=choices, assigns=assigns)
