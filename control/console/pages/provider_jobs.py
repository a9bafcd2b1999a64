"""Which jobs of an identity provider call as which service account: rules about the claims of their tokens."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from control.admin.identity_provider_models import ServiceRuleModel
from control.changes import identity_providers as changes
from control.console.forms import REFUSALS, Form
from control.console.pages.identity_provider import back, shown
from control.console.visit import Visit
from control.registry.partial import provider_with
from control.registry.told import as_plain

_Rules = list[dict[str, Any]]


async def bind(visit: Visit) -> web.Response:
    """Add a rule, behind those that there are: the first that fits decides."""
    return await _changed(visit, lambda rules, rule: [*rules, *([] if rule in rules else [rule])], "jobs-bound")


async def unbind(visit: Visit) -> web.Response:
    """Take a rule away, wherever it stands by now."""
    return await _changed(visit, lambda rules, rule: [one for one in rules if one != rule], "jobs-unbound")


def rule_of(form: Form) -> dict[str, Any]:
    """The rule that was typed: a claim on each line, `repository=acme/shop`."""
    pairs = (line.partition("=") for line in form.lines("claims"))
    claims = {name.strip(): value.strip() for name, _, value in pairs}
    return form.read(ServiceRuleModel, claims=claims).model_dump()


async def _changed(visit: Visit, step: Callable[[_Rules, dict[str, Any]], _Rules], said: str) -> web.Response:
    form = await visit.form()
    try:
        rule = rule_of(form)
        async with visit.changing() as write:
            await changes.change(
                write,
                visit.named("provider_id"),
                lambda now: provider_with(
                    now, {"service_rules": step([as_plain(one) for one in now.service_rules], rule)}
                ),
                None,
                visit.deps.safeguards,
            )
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    return back(visit, said)
