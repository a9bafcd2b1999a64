"""A plan, taken from a call that went through the stages and was answered.

Nothing is decided here. It is asked whether the outcome depended on more than the head and the tool, and whether what
the stages took is still what the memories hold; then what they filled in is written down.
"""

import time
from math import inf
from typing import Final

from orjson import dumps

from core.mcp.methods import META_CLIENT_CAPABILITIES, TOOLS_CALL
from core.mcp.versions import Era
from core.records import CallRecord
from core.resolve import ResolvedInstallation
from proxy.caches.standing import Stands
from proxy.caches.two_ages import Rest
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.limits.seat import CallLimits
from proxy.plans.plan import RENEW_S, Plan
from proxy.sessions.sealed import LIFETIME_S
from proxy.stages.record import client_of
from proxy.stages.relay import account_of
from proxy.stages.resolve_credential import key_of
from proxy.tracing.context import KEYS

_ANSWERED: Final = frozenset({"ok", "tool_error"})
_LARGE: Final = object()
"""Instead of a `_meta` that is not kept: it equals none, and each call is looked at by itself."""
_LONGEST: Final = 2048
"""Bytes of a `_meta` that is kept: a caller may send megabytes with every head."""


def plan_of(x: Exchange, deps: Deps, limits: CallLimits) -> Plan | str:
    """The plan that this call stands for; else why calls like it have none: a word of `metrics.UNPLANNED`."""
    why = _depends_on_more(x)
    if why:
        return why
    assert x.gateway is not None
    assert x.target is not None
    assert x.installation is not None
    assert x.sent is not None
    sent, now = deps.upstreams.sent, time.monotonic()
    resting, verdict = _resting(x, deps), deps.authority.rest(x.caller.proof.digest)
    found, held = sent.rests_on(x.sent, x.session.jti if x.session is not None else None)
    verified = x.caller.verified
    if verdict is None or resting is None or verdict.aged.value is not x.caller.verdict or not x.caller.stands:
        return "changed"
    if x.session is not None and not deps.sessions.holds(x.session):
        return "changed"
    if (None if held is None else held.session) != x.sent.session:
        return "changed"
    if found is not None and (found.era is Era.MODERN) != (x.sent.session is None):
        return "changed"
    way = sent.way(x.sent)
    if way is None:
        return "sent_otherwise"
    plan = Plan()
    others: list[Stands] = [one for one in (found, held, x.session, verified) if one is not None]
    plan.verdict, plan.resting, plan.gateway, plan.rests_on = verdict.aged, resting.aged, x.gateway, tuple(others)
    young_until = min(verdict.young_until, resting.young_until)
    plan.renew_at = young_until if young_until >= now else now + RENEW_S
    plan.good_until = min(
        verdict.fresh_until,
        resting.fresh_until,
        inf if found is None else found.until,
        inf if held is None else held.good_until,
    )
    if now >= plan.good_until:
        return "changed"
    plan.expires = min(
        verdict.aged.expires,
        resting.aged.expires,
        inf if x.session is None else x.session.issued + LIFETIME_S,
        inf if verified is None else verified.expires,
    )
    plan.max_stale = deps.settings.max_stale
    plan.way, plan.before, plan.end = way
    plan.tells_id = bool(x.installation.request_id_header)
    plan.seconds = sent.seconds_for(x.installation)
    plan.installation, plan.upstream_session = x.installation, x.sent.session
    _who_and_what(plan, x, deps, limits)
    _told(plan, x, deps)
    return plan


def _depends_on_more(x: Exchange) -> str:
    """The word for what else than head and tool the outcome depended on; empty for nothing."""
    target, outbound, gateway = x.target, x.outbound, x.gateway
    if x.status not in _ANSWERED or x.sent is None or target is None or outbound is None or gateway is None:
        return "refused"
    if gateway.snapshot.audit_required:
        return "audited"
    if outbound.method != TOOLS_CALL:
        return "resource"
    if target.param_headers:
        return "mirrored"
    if not KEYS.isdisjoint(x.headers):
        return "trace_context"
    if "progressToken" in x.request.meta or outbound.meta or x.retry is not None or x.ran:
        return "unusual"
    return "browser" if "origin" in x.headers else ""


def _kept(meta: object) -> object:
    """The `_meta` of a call, if it takes so little room that a plan may keep it."""
    return meta if len(dumps(meta)) <= _LONGEST else _LARGE


def _resting(x: Exchange, deps: Deps) -> Rest[ResolvedInstallation] | None:
    """What the installation of this call is held as; None where it is another one by now."""
    rest = deps.installations.rest(key_of(x, deps))
    return rest if rest is not None and rest.aged.value.carrying(x.caller.proof) is x.installation else None


def _who_and_what(plan: Plan, x: Exchange, deps: Deps, limits: CallLimits) -> None:
    assert x.target is not None
    assert x.gateway is not None
    assert x.installation is not None
    plan.target, plan.exposed, plan.entry_id = x.target, x.target.exposed, x.target.route.entry_id
    plan.caller = x.caller
    plan.seat = deps.usage.seat(x.caller.key, plan.entry_id, plan.exposed, limits)
    plan.modern, plan.version, plan.server_info = x.era is Era.MODERN, x.version, x.gateway.server_info
    route = x.target.route
    plan.names_uris = x.gateway.names_uris_by(route) is not None or bool(x.gateway.renamed_pages(route))
    plan.account = account_of(x.installation)
    plan.session, plan.jti = x.session, x.session.jti if x.session is not None else ""


def _told(plan: Plan, x: Exchange, deps: Deps) -> None:
    """What a record of such a call says, and where it is counted."""
    assert x.installation is not None
    assert x.gateway is not None
    assert x.target is not None
    snapshot, installation = x.gateway.snapshot, x.installation
    plan.installation_id = installation.installation_id
    plan.meta = _kept(x.request.params.get("_meta"))
    plan.declared = x.request.meta.get(META_CLIENT_CAPABILITIES)
    issuer, subject = x.caller.at_provider
    plan.line = CallRecord(
        id="",
        time=0.0,
        duration_ms=0.0,
        request_id="",
        decision="allowed",
        status="",
        method=TOOLS_CALL,
        principal=x.caller.key,
        auth=x.caller.way,
        token_id=x.caller.credential.id,
        client=client_of(x.headers, x.request.meta),
        address=x.address,
        gateway_id=snapshot.id,
        gateway_revision=snapshot.revision,
        tool=x.target.exposed,
        entry_id=x.target.route.entry_id,
        installation_id=installation.installation_id,
        installation_owner=installation.owner,
        credential_version=installation.version,
        account=installation.account,
        session=plan.jti,
        issuer=issuer,
        subject=subject,
    )
    names = snapshot.slug, x.target.route.entry, x.target.exposed
    plan.ok, plan.failed = deps.slots.of_call(*names, "ok"), deps.slots.of_call(*names, "tool_error")
