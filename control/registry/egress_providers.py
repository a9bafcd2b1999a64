"""Who holds an egress policy in a cluster, and what each of them can say of it. Pure.

A rule that a provider cannot say is refused with the reason, when it is saved and again before a server runs; it is
never made wider to fit. The sentences end where a field's name goes before them.

Sources: the schemas of the three kinds of objects (`docs/operating/egress.md` names them).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from core.egress.destinations import MOST_PORTS
from core.egress.rules import Allowed, port_range

EgressProvider = Literal["kubernetes", "cilium", "gke", "aws"]
"""`kubernetes`: NetworkPolicy alone. `cilium`: CiliumNetworkPolicy, as in AKS too. `gke`: FQDNNetworkPolicy of
Dataplane V2. `aws`: ApplicationNetworkPolicy of EKS Auto Mode."""

NO_NAMES: Final = (
    "the cluster holds networks only: it has none of the kinds CiliumNetworkPolicy, FQDNNetworkPolicy and "
    "ApplicationNetworkPolicy. Name CIDRs instead, or have its network plug-in hold names"
)
UNKNOWN: Final = (
    "what the cluster can hold is not known yet, as no control has led in it since it was connected. Try again in "
    "a minute, or name CIDRs only"
)
_ONE_LABEL: Final = (
    "can only be held by this cluster as any number of labels, which is more than is asked for. Write `**.` in the "
    "place of `*.`, or the names themselves"
)
_NO_RANGES: Final = (
    f"name more than {MOST_PORTS} ports, and this cluster takes no ranges for names: list the ports that are needed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFound:
    """What the cluster that servers run in can hold, as whoever leads found it."""

    provider: EgressProvider | None
    """None: nobody has looked yet."""
    evidence: str = ""
    """What was seen, and what was not, for people."""
    formerly: tuple[EgressProvider, ...] = ()
    """Those who held policies here before, of whom objects may be left."""


def why_not(found: ClusterFound, allowed: Allowed) -> tuple[str, str] | None:
    """The field (`domains` or `ports`) that this cluster cannot hold, and why; None where it can hold all of it."""
    if not allowed.domains:
        return None
    match found.provider:
        case None:
            return "domains", UNKNOWN
        case "kubernetes":
            return "domains", NO_NAMES
        case "aws":
            single = next((one for one in allowed.domains if one.startswith("*.")), None)
            return None if single is None else ("domains", f"{single} {_ONE_LABEL}")
        case "gke":
            return ("ports", _NO_RANGES) if _count(allowed.ports) > MOST_PORTS else None
        case "cilium":
            return None


def _count(ports: Iterable[str]) -> int:
    return sum(last - first + 1 for first, last in map(port_range, ports))
