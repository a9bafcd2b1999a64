"""An override that says a little of everything that may be said, and the Deployment that it is merged over."""

from __future__ import annotations

from typing import Any

from control.orchestrator.deployment import deployment
from core.strict_yaml import write_yaml
from tests.kube.wanted_servers import STDIO, TAINTED

BASE = deployment(STDIO, TAINTED)
OVERRIDE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"labels": {"custom.archway.dev/cost": "12"}},
    "spec": {
        "template": {
            "metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "true"}},
            "spec": {
                "nodeSelector": {"pool": None, "disk": "ssd"},
                "tolerations": [{"key": "dedicated", "operator": "Exists"}],
                "hostAliases": [{"ip": "10.1.2.3", "hostnames": ["old.example.com"]}],
                "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
                "initContainers": [
                    {
                        "name": "fetch",
                        "image": "registry.example/fetch:1",
                        "command": ["fetch", "--all"],
                        "env": [
                            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "own", "key": "API_KEY"}}},
                        ],
                        "volumeMounts": [{"name": "models", "mountPath": "/data"}],
                    }
                ],
                "containers": [
                    {
                        "name": "server",
                        "env": [
                            {"name": "MODELS", "value": "/data"},
                            {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
                        ],
                        "volumeMounts": [{"name": "models", "mountPath": "/data", "readOnly": True}],
                        "resources": {"limits": {"ephemeral-storage": "4Gi"}},
                    }
                ],
                "volumes": [
                    {"name": "models", "emptyDir": {"sizeLimit": "2Gi"}},
                    {"name": "home", "emptyDir": {"sizeLimit": "2Gi"}},
                ],
            },
        }
    },
}


def of_pod(**said: Any) -> str:
    """An override that says this of the pod."""
    return write_yaml({"spec": {"template": {"spec": said}}})


def of_server(**said: Any) -> str:
    """An override that says this of the container of the server."""
    return of_pod(containers=[{"name": "server", **said}])


def of_init(**said: Any) -> str:
    """An override that has an init container of which it says this."""
    return of_pod(initContainers=[{"name": "before", "image": "registry.example/before:1", **said}])
