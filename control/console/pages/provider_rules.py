"""What an identity provider's claims give: a value of a claim, and the team or the role that comes of it."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from control.admin.identity_provider_models import RoleRuleModel, TeamRuleModel
from control.changes import identity_providers as changes
from control.console.forms import REFUSALS, Form
from control.console.pages.identity_provider import back, shown
from control.console.visit import Visit
from control.registry.identity_provider import IdentityProvider
from control.registry.partial import provider_with
from control.registry.told import as_plain

_Rules = list[dict[str, Any]]


async def add(visit: Visit) -> web.Response:
    """Add a rule, at the end."""
    return await _changed(visit, lambda rules, rule: [*rules, *([] if rule in rules else [rule])], "rule-added")


async def remove(visit: Visit) -> web.Response:
    """Take a rule away, wherever it stands by now."""
    return await _changed(visit, lambda rules, rule: [one for one in rules if one != rule], "rule-removed")


def rule_of(form: Form) -> tuple[str, dict[str, Any]]:
    """The field that the rule is in, and the rule: of a team where `gives` names one, else of a role here."""
    if form.value("gives"):
        return "team_rules", form.read(TeamRuleModel, team_id=form.value("gives")).model_dump()
    return "role_rules", form.read(RoleRuleModel).model_dump()


async def _changed(visit: Visit, step: Callable[[_Rules, dict[str, Any]], _Rules], said: str) -> web.Response:
    form = await visit.form()
    try:
        field, rule = rule_of(form)

        def wanted(now: IdentityProvider) -> Any:
            rules: Sequence[Any] = getattr(now, field)
            return provider_with(now, {field: step([as_plain(one) for one in rules], rule)})

        async with visit.changing() as write:
            await changes.change(write, visit.named("provider_id"), wanted, None, visit.deps.safeguards)
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    return back(visit, said)
