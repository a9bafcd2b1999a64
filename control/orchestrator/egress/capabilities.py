"""What a cluster can hold of egress policies, and what holds for all servers in it. Pure."""

from dataclasses import dataclass, field
from typing import Final

from control.registry.cluster_dns import ClusterDns
from control.registry.egress_providers import ClusterFound, EgressProvider
from core.egress.addresses import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a cluster can do; without arguments that which every cluster can."""

    provider: EgressProvider = "kubernetes"
    evidence: str = ""
    """What was seen, for people."""
    formerly: tuple[EgressProvider, ...] = ()
    """Those who held policies here before, of whom objects may be left."""
    dns: ClusterDns = field(default_factory=ClusterDns)
    never: tuple[Network, ...] = ()
    """What the operator shuts for every server."""

    @property
    def found(self) -> ClusterFound:
        """As it is kept."""
        return ClusterFound(provider=self.provider, evidence=self.evidence, formerly=self.formerly)


PLAIN: Final = Capabilities()
