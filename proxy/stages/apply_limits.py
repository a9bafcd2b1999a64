"""Apply limits: a place at the upstream, so that neither one slow server nor one
caller can take every call; and room for the record."""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal


def apply_limits(x: Exchange, deps: Deps) -> None:
    """Take a place at the entry. Refuses `busy`, and `audit_unavailable` where a record could not be kept."""
    assert x.target is not None
    assert x.gateway is not None
    if x.gateway.snapshot.audit_required and not deps.records.can_keep:
        raise Refusal("audit_unavailable")
    route = x.target.route
    if not deps.usage.enter(route.entry_id, x.caller.key, x.target.exposed, deps.settings.calls_per_upstream):
        deps.overload.pressed = True
        raise Refusal("busy", server=route.entry)
    x.holds_slot = True
