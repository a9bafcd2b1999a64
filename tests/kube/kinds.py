"""The kinds that the fake API server serves, as its discovery documents say them; custom ones are added by a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of objects."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects name it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def written(self) -> str:
        """As messages of the API name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


BUILT_IN = (
    Kind("", "v1", "namespaces", "Namespace", namespaced=False),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "services", "Service"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "configmaps", "ConfigMap"),
    Kind("", "v1", "events", "Event"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
)


class Kinds:
    """What is served now, and the documents that say so."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str, str], Kind] = {}
        for one in BUILT_IN:
            self.add(one)

    def add(self, kind: Kind) -> None:
        """Serve one more, as a CustomResourceDefinition does."""
        self._served[kind.group, kind.version, kind.plural] = kind

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind an address."""
        return self._served.get((group, version, plural))

    def named(self, plural: str) -> Kind:
        """The one of this plural; no two that we have share one."""
        return next(one for one in self._served.values() if one.plural == plural)

    def groups(self) -> dict[str, Any]:
        """The answer at `/apis`."""
        names = dict.fromkeys(one.group for one in self._served.values() if one.group)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [self._group(name) for name in names]}

    def group(self, name: str) -> dict[str, Any] | None:
        """The answer at `/apis/GROUP`."""
        if not any(one.group == name for one in self._served.values()):
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name)}

    def _group(self, name: str) -> dict[str, Any]:
        versions = dict.fromkeys(one.version for one in self._served.values() if one.group == name)
        said = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
        return {"name": name, "versions": said, "preferredVersion": said[0]}

    def resources(self, group: str, version: str) -> dict[str, Any] | None:
        """The answer at `/api/v1` and `/apis/GROUP/VERSION`."""
        kinds = [one for one in self._served.values() if (one.group, one.version) == (group, version)]
        if not kinds:
            return None
        rows = [
            {"name": one.plural, "singularName": one.name.lower(), "namespaced": one.namespaced, "kind": one.name}
            for one in kinds
        ]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": kinds[0].api_version,
            "resources": [row | {"verbs": VERBS} for row in rows],
        }
