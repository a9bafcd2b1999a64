"""Who holds egress policies in a cluster: asked of its API, or said by an operator.

A kind that the API serves is believed, and not proved: each has something that the API does not tell, which the
evidence says. Whether a policy is held is what probes are for (`control/orchestrator/probing/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from control.orchestrator.cluster import Cluster
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.kinds import BY_PROVIDER
from control.registry.cluster_dns import ClusterDns
from control.registry.egress_providers import ClusterFound, EgressProvider
from core.egress.addresses import Network

ORDER: Final[tuple[EgressProvider, ...]] = ("gke", "aws", "cilium")
"""In which they are looked for: GKE's data plane serves Cilium's group too."""
UNTOLD: Final[Mapping[EgressProvider, str]] = MappingProxyType(
    {
        "gke": "whether FQDN network policies are enabled",
        "aws": "whether its network policy controller is enabled, and which nodes are of Auto Mode",
        "cilium": "whether names are held, which AKS does with Advanced Container Networking Services alone",
        "kubernetes": "whether the network plug-in holds NetworkPolicy",
    }
)
"""What only a probe shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an operator says of a cluster."""

    provider: Literal["auto"] | EgressProvider = "auto"
    dns: ClusterDns
    never: tuple[Network, ...] = ()


async def detect(cluster: Cluster, said: Said, before: ClusterFound | None) -> Capabilities:
    """What the cluster can hold now. Raises RuntimeAway, and ClusterSaid where it may not be asked."""
    provider, evidence = await _provider(cluster, said)
    earlier = () if before is None else (*before.formerly, before.provider or provider)
    return Capabilities(
        provider=provider,
        evidence=evidence,
        formerly=tuple(one for one in dict.fromkeys(earlier) if one in BY_PROVIDER and one != provider),
        dns=said.dns,
        never=said.never,
    )


async def _provider(cluster: Cluster, said: Said) -> tuple[EgressProvider, str]:
    if said.provider != "auto":
        return said.provider, f"ARCHWAY_EGRESS_PROVIDER says so. Unverified: {UNTOLD[said.provider]}"
    for one in ORDER:
        kind = BY_PROVIDER[one]
        if kind.plural in await cluster.discover(kind.api_version):
            return one, f"The API serves {kind.plural} of {kind.api_version}. Unverified: {UNTOLD[one]}"
    return "kubernetes", f"The API serves none of the kinds that hold names. Unverified: {UNTOLD['kubernetes']}"
