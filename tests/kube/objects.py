"""Small objects of Kubernetes for the contract tests, each as little as an API server takes."""

from __future__ import annotations

import copy
from typing import Any

Thing = dict[str, Any]
PAUSE = "registry.k8s.io/pause:3.10"


def config_map(name: str, labels: dict[str, str] | None = None, **content: str) -> Thing:
    metadata: Thing = {"name": name} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": content}


def secret(name: str, **more: Any) -> Thing:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}} | more


def deployment(name: str, **container: Any) -> Thing:
    """One pod, whose container is the image that every node has."""
    labels = {"app": name}
    pod = {"containers": [{"name": "server", "image": PAUSE, **container}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def service(name: str) -> Thing:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "mcp"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def policy(name: str, **spec: Any) -> Thing:
    wanted = {"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Ingress"], **spec}
    metadata = {"name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": wanted}


def lease(name: str, **spec: Any) -> Thing:
    metadata = {"name": name}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def with_(thing: Thing, path: str, value: Any) -> Thing:
    """A copy with one field set: `with_(it, "spec.template.spec.nodeName", "a")`; numbers are places in lists."""
    new = copy.deepcopy(thing)
    *parents, last = path.split(".")
    at: Any = new
    for step in parents:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    at[int(last) if isinstance(at, list) else last] = value
    return new
