"""Apply policy: the gateway's ordered rules; the first that names the target decides."""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal


def apply_policy(x: Exchange, deps: Deps) -> None:
    """Refuses with the rule's reason: `quarantined`, `held_back`, `only_as_task`."""
    assert x.target is not None
    rule = x.target.rule
    if rule is not None:
        raise Refusal(rule.reason, tool=x.target.exposed)
