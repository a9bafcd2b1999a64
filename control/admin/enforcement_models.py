"""Bodies of the admin API for egress policies that hold or do not."""

from pydantic import Field as Bound

from control.http.models import Moment, View
from control.registry.enforcement import EnforcementState, RuleKind
from core.egress.rules import EgressMode


class EnforcementView(View):
    """Whether one kind of an environment's egress rules holds, as the last probe of it showed."""

    kind: RuleKind = Bound(
        description="`off`: nothing but the cluster's DNS. `cidr`: networks. `domain`: host names. `all`: everything "
        "but link-local addresses."
    )
    state: EnforcementState = Bound(
        description="`enforced`: what is allowed answered, and what is denied did not, though it answers without the "
        "policy. `not_enforced`: what is denied answered. `unknown`: neither was shown."
    )
    reason: str = Bound(description="What was seen, or why nothing could be.")
    provider: str = Bound(description="Whose policies were made for it; empty where none were.")
    probed_at: Moment | None


class ServerEgressView(View):
    """What a server may reach, and whether that holds."""

    mode: EgressMode = Bound(description="Of its environment; `all` where that has no policy.")
    enforcement: list[EnforcementView] = Bound(description="Of its environment; none where that has no policy.")
