"""The kinds of objects that Archway keeps in a cluster, and those that it watches to see how they do."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote

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
REPLICA_SET: Final = Kind("ReplicaSet", "apps/v1", "replicasets")
POD: Final = Kind("Pod", "v1", "pods")
EVENT: Final = Kind("Event", "v1", "events")
LEASE: Final = Kind("Lease", "coordination.k8s.io/v1", "leases")

POLICIES: Final = (POLICY,)
"""What confines pods."""
APPLIED: Final = (*POLICIES, SECRET, DEPLOYMENT, SERVICE)
"""In the order in which they are applied: a pod is never there before what confines it and what it needs."""
WATCHED: Final = (*APPLIED, REPLICA_SET, POD)


def kind_of(found: Object) -> Kind:
    """The kind of one of the objects that we apply; raises StopIteration for any other."""
    return next(kind for kind in APPLIED if kind.kind == found["kind"])
