"""Apply policy: the gateway's ordered rules; the first that names the tool decides."""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal


def apply_policy(x: Exchange, deps: Deps) -> None:
    """Refuses with the rule's reason: `quarantined`, `held_back`."""
    assert x.tool is not None
    rule = x.tool.rule
    if rule is not None:
        raise Refusal(rule.reason, tool=x.tool.tool.exposed)
