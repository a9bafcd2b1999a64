"""Gateways: those that the person sees, each with whether it can be used; and a new one.

Who only calls gateways finds them at `connect.py`. What one of them is made of is in `gateway.py`.
"""

import msgspec
from aiohttp import web

from control.admin.gateway_models import GatewayCreate, GatewayQuery
from control.admin.labels import label_filter
from control.changes import gateways as changes
from control.console.forms import REFUSALS, Form
from control.console.gateway_choices import gateway_choices
from control.console.gateway_form import gathered, made_of, new_gateway_form
from control.console.shown_gateways import visible_to
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.http.problems import Problem
from control.registry.gateway import GatewayFields
from control.registry.gateway_access import may_manage_gateway
from control.registry.visibility import VisibilityKind
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(GatewayQuery)
    form, label = Form({"label": query.label}), None
    try:
        label = label_filter(query.label)
    except Problem as refusal:  # while somebody still types
        form = form.refused(refusal)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await visible_to(
            connection, visit.caller, visit.deps.public_url, limit=query.fetch, after=query.place, label=label
        )
    page = page_of(rows, query, lambda one: {"shown": one}, lambda one: place_key(one.gateway.name, one.gateway.id))
    shown = [one["shown"] for one in page.items]
    managed = {one.gateway.id for one in shown if may_manage_gateway(visit.caller, "gateway:update", one.gateway)}
    return visit.page(
        "gateways/list.html", gateways=shown, managed=managed, next=page.next, query=query, form=form
    )  # fmt: skip


async def new(visit: Visit) -> web.Response:
    """The form of a new gateway."""
    usual: VisibilityKind = "organisation" if visit.caller.may("gateway:create") else "personal"
    return await _asked(visit, new_gateway_form(usual))


async def create(visit: Visit) -> web.Response:
    """Make it. It shows nothing yet, so its tools are picked next."""
    form = gathered(await visit.form())
    try:
        wanted = form.read(GatewayCreate, **made_of(form))
        async with visit.changing() as write:
            made = await changes.create(write, msgspec.convert(wanted.model_dump(), GatewayFields))
    except REFUSALS as refusal:
        return await _asked(visit, form.refused(refusal))
    return visit.go(f"/gateways/{made.id}/tools", "gateway-made")


async def _asked(visit: Visit, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await gateway_choices(connection, visit.caller, "gateway:create")
    return visit.again("gateways/new.html", form, choices=choices)
