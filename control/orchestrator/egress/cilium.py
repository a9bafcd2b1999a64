"""CiliumNetworkPolicy, of Cilium and of AKS: names, networks and which names may be asked for, in one object.

All egress is in it, DNS too: it learns the addresses of names from the questions that pass its own rule, and a plain
rule for port 53 beside that would take these away from it. Beside names stand the addresses to which none of them may
lead: what is denied goes before what is allowed. Pods and other nodes are not found among addresses, so that "all"
names them beside these. Never its own node: addresses on that are one with it for Cilium, also link-local ones, where
clouds have metadata services that run on each node.
https://docs.cilium.io/en/stable/security/policy/language/ and https://docs.cilium.io/en/stable/security/policy/deny/
"""

from collections.abc import Iterable
from typing import Any, Final

from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.kubernetes_policy import single
from control.orchestrator.egress.networks import EVERYWHERE, blocks, shut_but_for
from control.orchestrator.egress.wildcards import one_label_each
from control.orchestrator.identity import metadata, selecting
from control.orchestrator.kinds import CILIUM_POLICY, Object
from control.registry.cluster_dns import DnsPeer
from control.servers.wanted import ConfinedServer
from core.egress.addresses import MAX_NAME_CHARS
from core.egress.rules import Allowed, EgressRules, port_range

_NAMESPACE: Final = "k8s:io.kubernetes.pod.namespace"
_PODS: Final[Object] = {"matchExpressions": [{"key": _NAMESPACE, "operator": "Exists"}]}
"""In all namespaces: a selector that says nothing of them means the policy's own."""


def cilium_policy(wanted: ConfinedServer, defaults: Defaults, capabilities: Capabilities) -> Object:
    """All that it may reach."""
    said = metadata(wanted, defaults)
    rules = wanted.egress
    made = _dns(rules, capabilities, said["namespace"])
    if rules.mode == "all":
        made += _everything(capabilities)
    made += [rule for group in rules.groups for rule in _of_group(group, capabilities)]
    return {
        "apiVersion": CILIUM_POLICY.api_version,
        "kind": CILIUM_POLICY.kind,
        "metadata": said,
        "spec": {
            "endpointSelector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
            "egress": made,
            **({"egressDeny": [_shut(capabilities)]} if rules.has_domains else {}),
        },
    }


def _dns(rules: EgressRules, capabilities: Capabilities, namespace: str) -> list[Object]:
    """Who answers for names. Only names that are allowed may be asked for, where names are."""
    dns = capabilities.dns
    ports: Object = {"ports": [{"port": "53", "protocol": "ANY"}]}
    if rules.has_domains:
        searched = (f"{namespace}.{dns.domains[0]}", *dns.domains) if dns.domains else ()
        ports["rules"] = {"dns": _names(_asked_for(rules, searched))}
    endpoints = [one for peer in dns.peers for one in _endpoints(peer)]
    made: list[Object] = [{"toEndpoints": endpoints, "toPorts": [ports]}] if endpoints else []
    if dns.addresses:
        made.append({"toCIDRSet": [{"cidr": single(one)} for one in dns.addresses], "toPorts": [ports]})
    return made


def _asked_for(rules: EgressRules, searched: Iterable[str]) -> list[str]:
    """Each name, and how a resolver asks for it first: with each search domain behind it. Some libraries take a
    refusal there for the end (https://docs.cilium.io/en/stable/security/dns/). What is too long then is no name, and
    nobody asks for it.
    """
    names = one_label_each(one for group in rules.groups for one in group.domains)
    asked = [*names, *(f"{name}.{domain}" for name in names for domain in searched)]
    return [one for one in dict.fromkeys(asked) if len(one) <= MAX_NAME_CHARS]


def _of_group(group: Allowed, capabilities: Capabilities) -> list[Object]:
    ports = [{"ports": [_port(*port_range(text)) for text in group.ports]}]
    made: list[Object] = []
    if group.domains:
        made.append({"toFQDNs": _names(one_label_each(group.domains)), "toPorts": ports})
    if held := blocks(group.cidrs, capabilities.never):
        made.append({"toCIDRSet": [one.said() for one in held], "toPorts": ports})
    return made


def _shut(capabilities: Capabilities) -> Object:
    """What is shut on all ports, whatever name leads there. Never who answers for names."""
    return {"toCIDR": shut_but_for(map(single, capabilities.dns.addresses), capabilities.never)}


def _everything(capabilities: Capabilities) -> list[Object]:
    """All addresses but those that are shut; pods too, unless an operator shuts networks, in which they may be."""
    held = blocks(EVERYWHERE, capabilities.never)
    made: list[Object] = [{"toCIDRSet": [one.said() for one in held]}] if held else []
    return made if capabilities.never else [*made, {"toEndpoints": [_PODS]}, {"toEntities": ["remote-node"]}]


def _names(names: Iterable[str]) -> list[Object]:
    return [{"matchPattern" if "*" in name else "matchName": name} for name in names]


def _port(first: int, last: int) -> Object:
    return {"port": str(first), "protocol": "TCP"} | ({"endPort": last} if last != first else {})


def _endpoints(peer: DnsPeer) -> list[dict[str, Any]]:
    place = {_NAMESPACE: peer.namespace}
    return [{"matchLabels": place | {f"k8s:{peer.label}": value}} for value in peer.values]
