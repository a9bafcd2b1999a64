"""Whether what an environment's egress policy says holds in truth, for each kind of its rules, as a probe saw it.

Probed by `control/orchestrator/probing`, kept by `control/store/enforcement.py`. Nothing is called enforced that two
proofs do not show: what is allowed answered, and what is denied did not though it answers without the policy. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from control.registry.entry import Entry
from control.registry.environment import Environment
from control.registry.override_text import says_nodes
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Place
from core.egress.rules import EgressRules

RuleKind = Literal["off", "cidr", "domain", "all"]
"""`off`: nothing but DNS. `cidr`: named networks. `domain`: named hosts. `all`: everything but link-local ones."""
EnforcementState = Literal["enforced", "not_enforced", "unknown"]
NUMBERS: Final[Mapping[EnforcementState, int]] = {"enforced": 1, "not_enforced": 0, "unknown": -1}
"""As metrics tell them."""
OLD_AFTER: Final = timedelta(hours=3)
"""A probe is made every hour; what nobody probed for so long is not known any more."""
PROCESSES: Final = (
    "Servers that run as processes share this machine's network. Servers elsewhere are held to it by the proxies all "
    "the same."
)
NOT_YET: Final = "No probe has ended yet."
ON_OTHER_NODES: Final = "The override of its entry says on which nodes it runs, and nothing is probed there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """What the latest probe of one kind of an environment's rules showed."""

    kind: RuleKind
    state: EnforcementState
    reason: str
    """In sentences: what was seen, or why nothing could be."""
    provider: str = ""
    """Whose policies were made for it, such as `kubernetes` or `cilium`; '' where none were."""
    probed_at: datetime | None = None
    """None where nothing was probed."""


def kinds_of(rules: EgressRules) -> tuple[RuleKind, ...]:
    """The kinds of rules that these are."""
    if rules.mode != "restricted":
        return (rules.mode,)
    kinds: list[RuleKind] = ["cidr"] if any(one.cidrs for one in rules.allowed) else []
    kinds += ["domain"] if any(one.domains for one in rules.allowed) else []
    return tuple(kinds) or ("off",)


def shown(
    environment: Environment, rules: EgressRules, kept: Sequence[Enforcement], place: Place | None, now: datetime
) -> list[Enforcement]:
    """What people are told, of what was kept. Nothing where the environment has no policy, or nothing here runs."""
    if environment.egress is None or place is None:
        return []
    if place == "process":
        return [Enforcement(kind=kind, state="not_enforced", reason=PROCESSES) for kind in kinds_of(rules)]
    known = {one.kind: one for one in kept}
    return [_as_known(kind, known.get(kind), now) for kind in kinds_of(rules)]


def shown_of_server(told: Sequence[Enforcement], entry: Entry) -> list[Enforcement]:
    """What of that is told of the servers of an entry: on nodes that its override names nothing is known to hold."""
    if not isinstance(entry.reached, SelfHosted) or not says_nodes(entry.reached.override):
        return [*told]
    return [replace(one, state="unknown", reason=ON_OTHER_NODES) if one.state == "enforced" else one for one in told]


def _as_known(kind: RuleKind, kept: Enforcement | None, now: datetime) -> Enforcement:
    if kept is None or kept.probed_at is None:
        return Enforcement(kind=kind, state="unknown", reason=NOT_YET)
    if now - kept.probed_at <= OLD_AFTER:
        return kept
    hours = int((now - kept.probed_at).total_seconds() // 3600)
    return Enforcement(
        kind=kind,
        state="unknown",
        reason=f"The last probe is {hours} hours old, and said {kept.state}.",
        provider=kept.provider,
        probed_at=kept.probed_at,
    )
