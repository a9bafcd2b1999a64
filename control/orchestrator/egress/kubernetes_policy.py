"""NetworkPolicy, which every cluster has: who may come in, and networks that a server may reach.

It knows no names. Who holds names makes one of their own beside it, and takes of this what they need.
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Iterable
from typing import Any

from control.orchestrator.container import PORT
from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.networks import EVERYWHERE, blocks
from control.orchestrator.identity import metadata, selecting
from control.orchestrator.kinds import POLICY, Object
from control.registry.cluster_dns import ClusterDns, DnsPeer
from control.servers.wanted import ConfinedServer
from core.egress.rules import Allowed, EgressRules, port_range

DNS_PORTS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


def network_policy(wanted: ConfinedServer, defaults: Defaults, capabilities: Capabilities | None) -> Object:
    """Who may connect to it, our proxies to its one port, and what it may reach by address; without `capabilities`
    another object says all that it may reach.
    """
    proxies = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": defaults.proxies_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "archway", "app.kubernetes.io/component": "proxy"}},
    }
    spec: Object = {
        "podSelector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [proxies], "ports": [{"protocol": "TCP", "port": PORT}]}],
    }
    if capabilities is not None:
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = egress(wanted.egress, capabilities)
    return {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.kind,
        "metadata": metadata(wanted, defaults),
        "spec": spec,
    }


def egress(rules: EgressRules, capabilities: Capabilities) -> list[Object]:
    """Rules about addresses: DNS, and the networks of the rules."""
    made = [dns(capabilities.dns)]
    if rules.mode == "all":
        # Nobody is left where an operator shuts all addresses, and a rule that names nobody would allow everybody.
        made += [{"to": reached} for reached in [everything(capabilities)] if reached]
    return made + [rule for group in rules.groups if (rule := of_networks(group, capabilities))]


def dns(cluster: ClusterDns) -> Object:
    """Whoever answers for names, on their one port."""
    addresses = [{"ipBlock": {"cidr": single(address)}} for address in cluster.addresses]
    return {"to": [*map(_pods, cluster.peers), *addresses], "ports": [dict(one) for one in DNS_PORTS]}


def everything(capabilities: Capabilities) -> list[Object]:
    """All addresses but those that are shut, and all pods: not every plug-in finds pods among addresses. Where an
    operator shuts networks, pods may be in them, and are reached by address or not at all.
    """
    pods: list[Object] = [] if capabilities.never else [{"namespaceSelector": {}}]
    return [{"ipBlock": block.said()} for block in blocks(EVERYWHERE, capabilities.never)] + pods


def of_networks(group: Allowed, capabilities: Capabilities) -> Object | None:
    """A group's networks on its ports; None where it has none, since a rule without any would allow all."""
    held = [{"ipBlock": block.said()} for block in blocks(group.cidrs, capabilities.never)]
    return {"to": held, "ports": ports(group.ports)} if held else None


def ports(texts: Iterable[str]) -> list[Object]:
    """TCP ports, and ranges of them."""
    return [
        {"protocol": "TCP", "port": first} | ({"endPort": last} if last != first else {})
        for first, last in map(port_range, texts)
    ]


def single(address: str) -> str:
    """The network of one address."""
    return f"{address}/{128 if ':' in address else 32}"


def _pods(peer: DnsPeer) -> dict[str, Any]:
    chosen = {"key": peer.label, "operator": "In", "values": list(peer.values)}
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": peer.namespace}},
        "podSelector": {"matchExpressions": [chosen]},
    }
