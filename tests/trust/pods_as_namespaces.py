"""Network namespaces that stand for pods, held by rules that are made of policy objects as a plug-in does: of
NetworkPolicy, and of FQDNNetworkPolicy, which adds names to one.

All that a pod may want to reach lies in one more namespace, at addresses of its own, and listens there. What is made
of a policy are rules of routing (ip-rule(8)), by address, protocol and port; what none allows has no route. Nothing
outside of these namespaces is touched; making them needs root.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

import pytest

from core.reach_terms import Outcome

Thing = Mapping[str, Any]
NO_NAMESPACES = "no network namespaces here: they need root, and ip of iproute2"
API_SERVER, NAMESERVER, METADATA, INTERNET = "10.96.0.1", "10.1.0.53", "169.254.169.254", "198.51.100.7"
LISTENER, OTHER_SERVER, REDIS, POSTGRES = "10.1.0.9", "10.1.0.10", "10.2.0.6", "10.2.0.7"
ADDRESSES = (API_SERVER, NAMESERVER, METADATA, INTERNET, LISTENER, OTHER_SERVER, REDIS, POSTGRES)
PORTS = (53, 80, 443, 5432, 6379, 8080, 8081, 8082)
NAMED = "kubernetes.io/metadata.name"
PODS: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    NAMESERVER: ({NAMED: "kube-system"}, {"k8s-app": "kube-dns"}),
    LISTENER: ({NAMED: "servers"}, {}),
    OTHER_SERVER: ({NAMED: "servers"}, {}),
    REDIS: ({NAMED: "archway"}, {"app": "redis"}),
    POSTGRES: ({NAMED: "archway"}, {"app": "postgres"}),
}
"""Which of the addresses are pods: labels of the namespace, and of the pod."""
NAME = "api.example.com"
"""The one name that has an address there: that of the internet."""
DEADLINE_S = 60.0


def routing_rules(policies: Iterable[Thing]) -> list[str]:
    """What `ip rule add` is told, in order. A pod that no policy selects for egress may go anywhere."""
    policies = list(policies)
    holding = [one for one in policies if "Egress" in one["spec"].get("policyTypes", ())]
    allowed = [said for one in holding for rule in one["spec"]["egress"] for said in _of_rule(rule)]
    adding = [one for one in policies if one["kind"] == "FQDNNetworkPolicy"]
    allowed += [said for one in adding for rule in one["spec"]["egress"] for said in _of_names(rule)]
    numbered = [f"pref {number} {said} lookup main" for number, said in enumerate(allowed, 100)]
    return [*numbered, "pref 30000 unreachable"] if holding else []


def _of_rule(rule: Thing) -> list[str]:
    peers = rule.get("to") or [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    return [
        f"to {network}{port}"
        for peer in peers
        for network in _networks(peer)
        for port in [_port(one) for one in rule.get("ports") or ()] or [""]
    ]


def _of_names(rule: Thing) -> list[str]:
    known = {"name": NAME} in rule["matches"]
    return [f"to {INTERNET}{_port(one)}" for one in rule["ports"]] if known else []


def _networks(peer: Thing) -> list[IPv4Network]:
    """Of the fourth version of the protocol, which alone the namespaces have."""
    if "ipBlock" not in peer:
        return [IPv4Network(address) for address, labels in PODS.items() if _selects(peer, *labels)]
    block, left = peer["ipBlock"], [ip_network(peer["ipBlock"]["cidr"])]
    for shut in map(ip_network, block.get("except") or ()):
        left = [part for one in left for part in (one.address_exclude(shut) if shut.subnet_of(one) else [one])]
    return [one for one in left if isinstance(one, IPv4Network)]


def _selects(peer: Thing, of_namespace: Thing, of_pod: Thing) -> bool:
    sides = ((peer.get("namespaceSelector"), of_namespace), (peer.get("podSelector"), of_pod))
    return all(selector is None or _fits(selector, labels) for selector, labels in sides)


def _fits(selector: Thing, labels: Thing) -> bool:
    wanted = (selector.get("matchLabels") or {}).items()
    among = [(one["key"], one["values"]) for one in selector.get("matchExpressions") or ()]
    return wanted <= labels.items() and all(labels.get(key) in values for key, values in among)


def _port(port: Thing) -> str:
    last = port.get("endPort", port["port"])
    return f" ipproto {port['protocol'].lower()} dport {port['port']}-{last}"


@dataclass
class World:
    """The namespace in which everything listens, and the pods around it."""

    name: str
    folder: Path
    ending: ExitStack
    pods: list[str] = field(default_factory=list)

    def pod(self, policies: Iterable[Thing] = ()) -> str:
        """A pod under these policies; its namespace."""
        number = len(self.pods) + 20
        name, address = f"{self.name}p{number}", f"10.1.0.{number}"
        namespace(name, self.ending)
        self.pods.append(name)
        ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", f"p{number}", "netns", self.name)
        batch(
            name,
            ["link set lo up", f"addr add {address}/32 dev eth0", "link set eth0 up", "route add default dev eth0"],
        )
        batch(self.name, [f"link set p{number} up", f"route add {address}/32 dev p{number}"])
        batch(name, [f"rule add {rule}" for rule in routing_rules(policies)])
        return name

    def run(self, pod: str, arguments: Sequence[str]) -> dict[str, Outcome]:
        """What a probe pod of these arguments sees there."""
        told = self.folder / f"{pod}.{uuid.uuid4().hex}"
        given = [*arguments, f"--tell={told}", f"--nameservers={self.folder / 'resolv.conf'}"]
        known = {"PATH": os.environ["PATH"], "KUBERNETES_SERVICE_HOST": API_SERVER, "KUBERNETES_SERVICE_PORT": "443"}
        # Its own hosts file hides the machine's in there alone: `ip netns exec` gives it mounts of its own.
        first = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(self.folder / "hosts")]
        with subprocess.Popen(["ip", "netns", "exec", pod, *first, *program(given)], env=known) as running:
            try:
                assert running.wait(DEADLINE_S) == 0
            finally:
                running.kill()
        seen: dict[str, Outcome] = json.loads(told.read_text())
        return seen


def program(arguments: Sequence[str]) -> list[str]:
    """The program of probe pods, as they start it."""
    return [sys.executable, "-I", "-m", "bridge.reach", *arguments]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """One, until the end of the block; the test is skipped where none can be made."""
    (folder / "resolv.conf").write_text(f"search servers.svc.cluster.local\nnameserver {NAMESERVER}\n")
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{INTERNET} {NAME}\n")
    with ExitStack() as ending:
        name = f"aw{uuid.uuid4().hex[:6]}"
        try:
            namespace(name, ending)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip(NO_NAMESPACES)
        batch(name, ["link set lo up", *(f"addr add {address}/32 dev lo" for address in ADDRESSES)])
        ports = [word for port in PORTS for word in ("--listen", str(port))]
        listening = subprocess.Popen(["ip", "netns", "exec", name, *program(ports)])
        ending.callback(listening.wait, DEADLINE_S)
        ending.callback(listening.kill)
        made = World(name, folder, ending)
        tries = [*(f"{address}:443" for address in ADDRESSES), *(f"{INTERNET}:{port}" for port in PORTS)]
        seen = made.run(made.pod(), ["--within=60", *(f"--open={target}" for target in tries)])
        assert set(seen.values()) == {"reached"}
        yield made


def namespace(name: str, ending: ExitStack) -> None:
    """A network namespace, until the end."""
    ip("netns", "add", name)
    ending.callback(_gone, name)


def _gone(name: str) -> None:
    with suppress(subprocess.CalledProcessError):
        ip("netns", "delete", name)


def batch(name: str, lines: Sequence[str]) -> None:
    """Commands of `ip` in a namespace."""
    subprocess.run(
        ["ip", "-n", name, "-batch", "-"], input="\n".join(lines), text=True, check=True, timeout=DEADLINE_S
    )


def ip(*words: str) -> None:
    """One command."""
    subprocess.run(["ip", *words], check=True, timeout=DEADLINE_S, capture_output=True)
