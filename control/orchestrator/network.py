"""The network of a server: its name for proxies, and a policy that lets them alone in.

A policy of its own for each server, applied before its pod is there and taken away after it. It says nothing of where
the server may go: where a policy has no `Egress`, everywhere
(https://kubernetes.io/docs/concepts/services-networking/network-policies/).
"""

from typing import Any

from control.orchestrator.container import PORT
from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import metadata, selecting
from control.servers.wanted import WantedServer


def service(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    """The address at which proxies call it; leads nowhere until it is ready."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(wanted, defaults),
        "spec": {
            "type": "ClusterIP",
            "selector": selecting(defaults.instance_id, wanted.installation_id),
            "ports": [{"name": PORT, "port": wanted.port, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def policy(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    """Who may connect to it: our proxies, to its one port."""
    proxies = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": defaults.proxies_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "archway", "app.kubernetes.io/component": "proxy"}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(wanted, defaults),
        "spec": {
            "podSelector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [proxies], "ports": [{"protocol": "TCP", "port": PORT}]}],
        },
    }
