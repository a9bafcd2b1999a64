"""The kinds of objects that Archway keeps in a cluster, and those that it watches to see how they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from control.registry.egress_providers import EgressProvider

Object: TypeAlias = dict[str, Any]
"""An object of the API as JSON, not as the client's models: three times quicker to read, and nothing is lost."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Where objects of one kind are in the API."""

    kind: str
    api_version: str
    plural: str

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """The URL's path of all of them in a namespace, of one, or of a part of one, such as its log."""
        root = "/api" if "/" not in self.api_version else "/apis"
        rest = [quote(segment, safe="") for segment in (name, part) if segment]
        return "/".join([root, self.api_version, "namespaces", quote(namespace, safe=""), self.plural, *rest])


DEPLOYMENT: Final = Kind("Deployment", "apps/v1", "deployments")
SERVICE: Final = Kind("Service", "v1", "services")
SECRET: Final = Kind("Secret", "v1", "secrets")
POLICY: Final = Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
CILIUM_POLICY: Final = Kind("CiliumNetworkPolicy", "cilium.io/v2", "ciliumnetworkpolicies")
AWS_POLICY: Final = Kind("ApplicationNetworkPolicy", "networking.k8s.aws/v1alpha1", "applicationnetworkpolicies")
GKE_POLICY: Final = Kind("FQDNNetworkPolicy", "networking.gke.io/v1alpha1", "fqdnnetworkpolicies")
REPLICA_SET: Final = Kind("ReplicaSet", "apps/v1", "replicasets")
POD: Final = Kind("Pod", "v1", "pods")
EVENT: Final = Kind("Event", "v1", "events")
LEASE: Final = Kind("Lease", "coordination.k8s.io/v1", "leases")

POLICIES: Final = (CILIUM_POLICY, AWS_POLICY, POLICY, GKE_POLICY)
"""What confines pods, in the order in which it is applied: what says all egress by itself before the NetworkPolicy
that then says none, and what only adds to one after it.
"""
APPLIED: Final = (*POLICIES, SECRET, DEPLOYMENT, SERVICE)
"""In the order in which they are applied: a pod is never there before what confines it and what it needs."""
WATCHED: Final = (*APPLIED, REPLICA_SET, POD)
BY_PROVIDER: Final[Mapping[EgressProvider, Kind]] = MappingProxyType(
    {"cilium": CILIUM_POLICY, "aws": AWS_POLICY, "gke": GKE_POLICY}
)
"""The kind of each provider that has one of its own."""


def applied(provider: EgressProvider) -> tuple[Kind, ...]:
    """Those of `APPLIED` that a cluster of this provider has."""
    own = BY_PROVIDER.get(provider)
    return tuple(kind for kind in APPLIED if kind == own or kind not in BY_PROVIDER.values())


def watched(provider: EgressProvider) -> tuple[Kind, ...]:
    """What is watched in a cluster of this provider: what is applied, and what comes of it."""
    return (*applied(provider), REPLICA_SET, POD)


def kind_of(found: Object) -> Kind:
    """The kind of one of the objects that we apply; raises StopIteration for any other."""
    return next(kind for kind in APPLIED if kind.kind == found["kind"])
