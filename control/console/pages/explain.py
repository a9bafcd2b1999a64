"""What would happen: what would become of a call at a gateway, check by check, without making it.

Everybody asks about themselves; whoever holds `gateway:explain`, about others too (`control/explain/asking.py`).
"""

import json
from typing import Final

from aiohttp import web

from control.admin.explain import view_of
from control.admin.explain_models import ExplainCall, ExplanationView
from control.changes.refusals import NotNow
from control.changes.visible import visible_gateway
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.explain.asking import explain_to
from control.http.problems import invalid
from control.proxies import ProxyAway
from control.registry.gateway import Gateway
from control.store import assignments, gateways
from control.store.pool import transaction

_MOST_NAMES: Final = 500
_BY: Final = [
    ("", "As is usual for them"),
    ("token", "A token of Archway"),
    ("oauth", "Signing in with an OAuth client"),
    ("id_jag", "An assertion of the identity provider"),
    ("jwt", "The identity provider's own token"),
]


async def show(visit: Visit) -> web.Response:
    """The form; a tool may be named in the query."""
    return await _shown(visit, Form({"tool": visit.request.query.get("tool", "")[:128]}))


async def ask(visit: Visit) -> web.Response:
    """The form again, with the answer."""
    form = await visit.form()
    gateway, _ = await _found(visit)
    try:
        told = await _explained(visit, gateway, form)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return await _shown(visit, form, told)


async def _explained(visit: Visit, gateway: Gateway, form: Form) -> ExplanationView:
    asked = form.read(
        ExplainCall,
        arguments=_arguments(form),
        subject=form.value("subject") or None,
        by=form.value("by") or None,
        client=form.value("client"),
    )
    try:
        told = await explain_to(
            visit.caller,
            visit.pool,
            visit.deps.explaining,
            gateway.id,
            tool=asked.tool,
            subject=asked.subject,
            by=asked.by,
            client=asked.client,
            arguments=json.dumps(asked.arguments),
        )
    except ProxyAway as away:
        raise NotNow(str(away)) from None
    return view_of(told, visit.caller)


def _arguments(form: Form) -> dict[str, object]:
    text = form.value("arguments")
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise invalid("arguments", 'must be a JSON object, such as {"city": "Paris"}')
    return given


async def _found(visit: Visit) -> tuple[Gateway, list[str]]:
    """The gateway, and names of its tools; raises NotThere where the person does not see it."""
    async with transaction(visit.pool, readonly=True) as connection:
        gateway = visible_gateway(await gateways.one(connection, visit.named("gateway_id")), visit.caller)
        shown = await assignments.page(connection, gateway.id, limit=_MOST_NAMES, after=None)
    return gateway, [one.exposed_name for one in shown]


async def _shown(visit: Visit, form: Form, told: ExplanationView | None = None) -> web.Response:
    gateway, names = await _found(visit)
    return visit.page(
        "gateways/explain.html",
        status=form.status,
        gateway=gateway,
        names=names,
        form=form,
        told=told,
        others=visit.caller.may("gateway:explain"),
        ways=_BY,
    )
