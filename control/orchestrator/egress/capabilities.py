"""What a cluster can hold of egress policies, and what holds for all servers in it. Pure."""

from dataclasses import dataclass, field
from typing import Final

from control.registry.egress_providers import ClusterFound, EgressProvider
from core.egress.addresses import Network


@dataclass(frozen=True, slots=True)
class DnsPeer:
    """Pods that answer for names: by their namespace, and a label whose value is one of several."""

    namespace: str
    label: str
    values: tuple[str, ...]


USUAL_PEERS: Final = (DnsPeer("kube-system", "k8s-app", ("kube-dns", "coredns", "node-local-dns")),)
"""CoreDNS under the names that distributions give it, and the cache of
https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/."""
NODE_CACHE: Final = "169.254.20.10"
"""Where that cache listens on each node; link-local, and opened for questions about names alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDns:
    """Who answers for names in a cluster: asked on port 53 by every server, whatever else it may reach."""

    peers: tuple[DnsPeer, ...] = USUAL_PEERS
    addresses: tuple[str, ...] = (NODE_CACHE,)
    """Addresses that are asked: needed where no pod answers, as in EKS Auto Mode."""
    domains: tuple[str, ...] = ("svc.cluster.local", "cluster.local")
    """With which a pod tries a name that has few dots, beside its own namespace in the first."""


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
