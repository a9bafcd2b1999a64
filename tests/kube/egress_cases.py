"""Clusters and egress policies of each kind: what is kept of them as golden files, and asked for in tests."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.policies import policies
from control.orchestrator.kinds import Object
from control.registry.cluster_dns import USUAL_PEERS, ClusterDns
from core.egress.rules import Allowed, EgressRules
from tests.kube.wanted_servers import DEFAULTS, HTTP

AUTO_MODE_DNS = ClusterDns(peers=(), addresses=("10.100.0.10",))
CLUSTERS = {
    "kubernetes": Capabilities(),
    "eks_vpc_cni": Capabilities(provider="kubernetes", dns=ClusterDns(addresses=("10.100.0.10",))),
    "eks_auto_mode": Capabilities(provider="aws", dns=AUTO_MODE_DNS),
    "aks": Capabilities(provider="cilium", dns=ClusterDns(peers=USUAL_PEERS, addresses=("10.0.0.10",))),
    "cilium": Capabilities(provider="cilium"),
    "gke": Capabilities(provider="gke"),
}
"""The clusters that people have, with what is found in them."""
NETWORKS = Allowed(cidrs=("203.0.113.0/24", "2001:db8:10::/48"), ports=("443", "5432-5440"))
NAMES = Allowed(domains=("api.example.com", "**.files.example.com"))
ONE_LABEL = Allowed(domains=("*.example.org",), ports=("443", "8443"))
MODES = {
    "off": EgressRules(mode="off"),
    "all": EgressRules(),
    "networks": EgressRules(mode="restricted", allowed=(NETWORKS,)),
    "names": EgressRules(mode="restricted", allowed=(NAMES, NETWORKS)),
}
SHUT_BY_OPERATOR = (ipaddress.ip_network("10.96.0.0/12"), ipaddress.ip_network("fd12::/16"))


def policies_of(cluster: str, rules: EgressRules, **changed: Any) -> list[Object]:
    """The policies of a server with these rules; raises Refused."""
    capabilities = replace(CLUSTERS[cluster], **changed)
    return policies(replace(HTTP, egress=rules), DEFAULTS, capabilities)
