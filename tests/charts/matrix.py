"""The values that the chart is rendered with: one row for each way in which it is installed."""

from __future__ import annotations

from typing import Any, Final

NEEDED: Final[dict[str, Any]] = {
    "publicUrl": "https://mcp.example.com",
    "image": {"repository": "registry.example.com/archway"},
    "servers": {"baseImage": "registry.example.com/archway-base:0.1.0"},
}
TOLERATION: Final = {"key": "pool", "operator": "Equal", "value": "tools", "effect": "NoSchedule"}
INGRESS: Final = {
    "enabled": True,
    "className": "nginx",
    "annotations": {"nginx.ingress.kubernetes.io/proxy-buffering": "off"},
    "tlsSecret": "mcp-example-com",
}

MATRIX: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "highly available": {"control": {"replicas": 3}, "proxy": {"replicas": 6, "settings": {"ARCHWAY_WORKERS": "4"}}},
    "chosen nodes": {"nodeSelector": {"pool": "platform"}, "tolerations": [TOLERATION]},
    "servers on other nodes": {
        "nodeSelector": {"pool": "platform"},
        "servers": {"nodeSelector": {"pool": "tools"}, "tolerations": [TOLERATION]},
    },
    "secrets of other names": {
        "secrets": {"keys": "vault-keys", "connections": "vault-connections"},
        "imagePullSecrets": ["registry"],
        "caBundle": {"configMap": "company-ca"},
    },
    "ingress with TLS": {"ingress": INGRESS, "settings": {"ARCHWAY_TRUSTED_PROXIES": "10.244.0.0/16"}},
    "load balancer": {"proxy": {"service": {"type": "LoadBalancer", "annotations": {"lb/kind": "internal"}}}},
    "two namespaces of servers": {"servers": {"namespaces": ["tools-a", "tools-b"], "createNamespaces": False}},
    "no servers of our own": {"servers": {"enabled": False}},
    "uids of the cluster": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "upgrade with proxies behind": {"image": {**NEEDED["image"], "tag": "0.2.0"}, "proxy": {"imageTag": "0.1.0"}},
    "annotated pods": {"control": {"podAnnotations": {"a/b": "c"}}, "proxy": {"podAnnotations": {"a/b": "c"}}},
}
