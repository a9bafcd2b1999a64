"""`/gateways/{id}/explain`: what would become of a call, stage by stage, without making it.

Who may ask about whom is in `control/explain/asking.py`.
"""

from typing import Final

import orjson

from control.admin.api import Asked, Operations
from control.admin.explain_models import (
    ExplainCall,
    ExplanationView,
    HeaderView,
    StageView,
    WouldCall,
    WouldReach,
    WouldServe,
)
from control.explain.asking import explain_to
from control.explain.explaining import Explanation
from control.explain.who_calls import WhoCalls
from control.http.models import Id
from control.http.problems import Problem
from control.proxies import ProxyAway
from control.registry.access import Caller
from control.registry.credential import kind_of
from control.registry.installing import may_see
from control.registry.owner import owner_columns
from core.explain import StageTold

operations = Operations("gateways")
_AWAY: Final = 503
_UNSEEN: Final = "an installation"
_UNSEEN_OWNER: Final = "a team"
"""What is lent on a shared gateway to somebody who does not see it can be a team's alone (`choose_installation`). Its
identifier and account stand in the records of their calls."""


@operations.post("/gateways/{gateway_id}/explain", status=200)
async def explain_call(asked: Asked, gateway_id: Id, body: ExplainCall) -> ExplanationView:
    """Say what would become of a call: which check would refuse it, or what would serve it. Nothing is called."""
    try:
        told = await explain_to(
            asked.caller,
            asked.pool,
            asked.deps.explaining,
            gateway_id,
            tool=body.tool,
            subject=body.subject,
            by=body.by,
            client=body.client,
            arguments=orjson.dumps(body.arguments).decode(),
        )
    except ProxyAway as away:
        raise Problem(_AWAY, str(away)) from None
    return view_of(told, asked.caller)


def view_of(told: Explanation, asker: Caller) -> ExplanationView:
    """What is told of it: everything to who may ask about others, else no more than a refusal would say, and of the
    installation what they may see.
    """
    everything = asker.may("gateway:explain")
    explained, who = told.explained, told.who
    stages = [_stage(one, who) for one in explained.stages]
    headers = explained.headers if everything else []
    return ExplanationView(
        refused=bool(explained.reason),
        reason=explained.reason,
        sentence=explained.sentence,
        status=explained.status,
        link=explained.link,
        cause=told.cause.cause,
        cure=told.cause.cure,
        caller=WouldCall(principal=who.principal.key, name=who.principal.name, kind=who.kind, later=who.later),
        stages=stages,
        gateway_revision=explained.gateway_revision,
        tool=explained.tool,
        serving=_serving(told, asker, everything=everything),
        server=_server(told, everything=everything),
        headers=[HeaderView(name=one.name, of=one.of) for one in headers],
    )


def _stage(one: StageTold, who: WhoCalls) -> StageView:
    """What is known later of a credential is told where it is looked at."""
    later = {"authenticate": who.later, "enter_gateway": who.enters}.get(one.stage, "")
    if one.outcome == "passed" and later:
        return StageView(stage=one.stage, outcome="at_the_call", why=later)
    return StageView(stage=one.stage, outcome=one.outcome, why=one.why)


def _serving(told: Explanation, asker: Caller, *, everything: bool) -> WouldServe | None:
    found = told.serving
    if found is None or found.installation is None or found.entry is None:
        return None
    resolved = found.answer.installation
    is_seen = everything or may_see(asker, found.installation.owner)
    return WouldServe(
        id=found.installation.id,
        name=found.installation.name if is_seen else _UNSEEN,
        entry=found.entry.slug,
        scope=owner_columns(found.installation.owner).scope,
        owner=told.owner if is_seen else _UNSEEN_OWNER,
        credential=kind_of(found.entry.credential),
        uses=found.uses,
        account=resolved.account if resolved is not None else "",
        asks_first=found.unsettled,
    )


def _server(told: Explanation, *, everything: bool) -> WouldReach | None:
    resolved = told.serving.answer.installation if told.serving is not None else None
    if resolved is None:
        return None
    explained = told.explained
    return WouldReach(
        kind=resolved.kind,
        url=resolved.url if everything else None,
        era=explained.era if everything else None,
        isolation=resolved.isolation if everything else None,
        deadline_s=explained.deadline_s if everything else None,
        calls_at_once=explained.calls_at_once if everything else None,
    )
