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
HTTP_ROUTE: Final = {
    "enabled": True,
    "parentRefs": [{"name": "outside", "namespace": "gateways", "sectionName": "https"}],
}
PROMETHEUS: Final = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
QUEUE: Final = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "archway_calls_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "200"},
    },
}

EVERYTHING: Final[dict[str, Any]] = {
    "control": {"replicas": 2},
    "proxy": {"autoscaling": {"enabled": True, "maxReplicas": 20}, "graceSeconds": 120},
    "migrations": {"contract": True},
    "httpRoute": HTTP_ROUTE,
    "settings": {"ARCHWAY_TRUSTED_PROXIES": "10.244.0.0/16"},
    "networkPolicies": {
        "metricsFrom": [PROMETHEUS],
        "controlEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "monitoring": {"enabled": True},
    "caBundle": {"configMap": "company-ca"},
    "servers": {"namespaces": ["tools-sandbox", "tools-production"], "tolerations": [TOLERATION]},
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
    "servers on Cilium": {"servers": {"egress": {"provider": "cilium", "probes": False}}},
    "servers on Google": {
        "servers": {"egress": {"provider": "gke", "probeTargets": ["192.0.2.1:443", "example.com:443"]}}
    },
    "servers on AWS": {
        "servers": {
            "egress": {
                "provider": "aws",
                "never": ["10.20.0.0/16", "fd00:20::/32"],
                "dns": ["10.100.0.10", "kube-system/k8s-app=coredns"],
            }
        }
    },
    "policies of Kubernetes alone": {"servers": {"egress": {"provider": "kubernetes"}}},
    "no servers of our own": {"servers": {"enabled": False}},
    "OpenShift": {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        "servers": {"createNamespaces": False},
        "ingress": {"enabled": True, "className": "openshift-default", "tlsSecret": "mcp-example-com"},
    },
    "upgrade with proxies behind": {"image": {**NEEDED["image"], "tag": "0.2.0"}, "proxy": {"imageTag": "0.1.0"}},
    "autoscaled": {
        "control": {"replicas": 2},
        "proxy": {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 12, "metrics": [QUEUE]}},
    },
    "autoscaled by calls alone": {
        "proxy": {"autoscaling": {"enabled": True, "cpuPercent": None, "metrics": [QUEUE]}}
    },
    "tables brought up to date by control": {"migrations": {"job": False}},
    "upgrade without a way back": {"migrations": {"contract": True, "deadlineSeconds": 3600}},
    "load balancer for few": {
        "proxy": {
            "service": {
                "type": "LoadBalancer",
                "externalTrafficPolicy": "Local",
                "loadBalancerClass": "example.com/internal",
                "loadBalancerSourceRanges": ["198.51.100.0/24"],
            }
        }
    },
    "TLS in the proxies": {
        "proxy": {"tlsSecret": "mcp-example-com", "service": {"type": "LoadBalancer", "port": 443}},
        "httpRoute": HTTP_ROUTE,
    },
    "port of nodes": {"proxy": {"service": {"type": "NodePort", "nodePort": 30400}}},
    "ingress of AWS": {
        "ingress": {
            "enabled": True,
            "className": "alb",
            "annotations": {
                "alb.ingress.kubernetes.io/target-type": "ip",
                "alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=3600",
            },
        }
    },
    "ingress of Google": {
        "ingress": {"enabled": True, "annotations": {"kubernetes.io/ingress.class": "gce"}},
        "proxy": {"service": {"annotations": {"cloud.google.com/backend-config": '{"default": "archway"}'}}},
    },
    "route of the Gateway API": {"httpRoute": HTTP_ROUTE},
    "route without timeouts": {"httpRoute": {**HTTP_ROUTE, "withoutTimeouts": False}},
    "monitored": {
        "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
        "networkPolicies": {"metricsFrom": [PROMETHEUS]},
    },
    "closed both ways": {
        "networkPolicies": {
            "metricsFrom": [PROMETHEUS],
            "controlEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
            "proxyEgress": [],
        }
    },
    "without network policies": {"networkPolicies": {"enabled": False}, "monitoring": {"enabled": True}},
    "everything at once": EVERYTHING,
    "annotated pods": {"control": {"podAnnotations": {"a/b": "c"}}, "proxy": {"podAnnotations": {"a/b": "c"}}},
}
