"""What a set of policies lets one pod reach, read as their documentation has it: a second opinion on ours.

For one pod that all of the given objects select. Names are judged as names: that a provider learns the right
addresses of them is its own matter.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any

Thing = dict[str, Any]


def reaches_address(policies: Iterable[Thing], ip: str, port: int, protocol: str = "TCP") -> bool:
    """Whether a packet to this address may leave."""
    policies = list(policies)
    rules = _rules(policies)
    return not denies_address(policies, ip) and any(
        _fits(rule, port, protocol) and _has_address(rule, ip) for rule in rules
    )


def denies_address(policies: Iterable[Thing], ip: str) -> bool:
    """Whether no packet to this address may leave, whatever allows it: a name that leads there, too."""
    denied = [rule for one in policies for rule in one["spec"].get("egressDeny", ())]
    address = ipaddress.ip_address(ip)
    return any(address in ipaddress.ip_network(cidr) for rule in denied for cidr in rule["toCIDR"])


def reaches_name(policies: Iterable[Thing], host: str, port: int) -> bool:
    """Whether a TCP connection to whatever this name leads to may be opened."""
    return any(_fits(rule, port, "TCP") and _has_name(rule, host) for rule in _rules(policies))


def reaches_pods(policies: Iterable[Thing], port: int = 443) -> bool:
    """Whether pods of any kind and namespace may be reached."""
    return any(_fits(rule, port, "TCP") and _has_all_pods(rule) for rule in _rules(policies))


def may_ask_for(policies: Iterable[Thing], name: str) -> bool:
    """Whether somebody who answers for names may be asked for this one."""
    for rule in _rules(policies):
        if _fits(rule, 53, "UDP") and ("toEndpoints" in rule or _selects_pods(rule)):
            layers = [ports["rules"]["dns"] for ports in rule.get("toPorts", ()) if "rules" in ports]
            if not layers or any(_cilium_matches(one, name) for dns in layers for one in dns):
                return True
    return False


def _rules(policies: Iterable[Thing]) -> Iterator[Thing]:
    """All egress rules; one that allows everything where no policy is about egress."""
    about = [one["spec"] for one in policies if _is_about_egress(one)]
    if not about:
        yield {"everything": True}
    for spec in about:
        yield from spec["egress"]


def _is_about_egress(policy: Thing) -> bool:
    if policy["kind"] in {"NetworkPolicy", "ApplicationNetworkPolicy"}:
        return "Egress" in policy["spec"]["policyTypes"]
    return policy["kind"] == "CiliumNetworkPolicy"  # one of GKE only adds, and confines nothing by itself


def added_by_gke(policies: Iterable[Thing], host: str, port: int) -> bool:
    """Whether a FQDNNetworkPolicy adds this name to what the others allow."""
    rules = [rule for one in policies if one["kind"] == "FQDNNetworkPolicy" for rule in one["spec"]["egress"]]
    return any(
        any(said["port"] == port and said["protocol"] in {"TCP", "ALL"} for said in rule["ports"])
        and any(_cilium_matches(one, host) for one in rule["matches"])
        for rule in rules
    )


def _fits(rule: Thing, port: int, protocol: str) -> bool:
    if "everything" in rule:
        return True
    ports = [one for many in rule["toPorts"] for one in many["ports"]] if "toPorts" in rule else rule.get("ports")
    return not ports or any(
        int(one["port"]) <= port <= int(one.get("endPort", one["port"])) and one["protocol"] in {protocol, "ANY"}
        for one in ports
    )


def _has_address(rule: Thing, ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    if "everything" in rule:
        return True
    blocks = [peer["ipBlock"] for peer in rule.get("to", ()) if "ipBlock" in peer] + rule.get("toCIDRSet", [])
    return any(
        address in ipaddress.ip_network(block["cidr"])
        and not any(address in ipaddress.ip_network(part) for part in block.get("except", ()))
        for block in blocks
    )


def _has_name(rule: Thing, host: str) -> bool:
    if "everything" in rule:
        return True
    names = [name for peer in rule.get("to", ()) for name in peer.get("domainNames", ())]
    return any(_aws_matches(name, host) for name in names) or any(
        _cilium_matches(one, host) for one in rule.get("toFQDNs", ())
    )


def _has_all_pods(rule: Thing) -> bool:
    if "everything" in rule:
        return True
    of_any_namespace = {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}]}
    if of_any_namespace in rule.get("toEndpoints", ()):
        return True
    return any(peer.get("namespaceSelector") == {} and "podSelector" not in peer for peer in rule.get("to", ()))


def _selects_pods(rule: Thing) -> bool:
    return any("podSelector" in peer for peer in rule.get("to", ()))


def _aws_matches(said: str, host: str) -> bool:
    """`*` in front matches one or more whole labels."""
    return host.endswith(said[1:]) and len(host) >= len(said) if said.startswith("*.") else host == said


def _cilium_matches(said: Thing, host: str) -> bool:
    """`*` matches characters of one label."""
    (text,) = said.values()
    return re.fullmatch(re.escape(text).replace(r"\*", "[-a-zA-Z0-9_]*"), host) is not None
