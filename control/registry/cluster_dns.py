"""Who answers for names in the cluster, as a pod of it sees it: in `/etc/resolv.conf`, or as an operator says. Pure.

Source: resolv.conf(5), and https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Final

MOST_NAMED: Final = 16
_METADATA: Final = "169.254.169.254"
"""A metadata service, which is not opened even where it answers for names too."""
_PEER: Final = re.compile(
    r"([a-z0-9][a-z0-9-]{0,62})/([A-Za-z0-9][A-Za-z0-9./_-]{0,316})=([A-Za-z0-9][A-Za-z0-9._-]{0,62})"
)
_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class DnsPeer:
    """Pods that answer for names: by their namespace, and a label whose value is one of several."""

    namespace: str
    label: str
    values: tuple[str, ...]


USUAL_PEERS: Final = (DnsPeer("kube-system", "k8s-app", ("kube-dns", "coredns", "node-local-dns")),)
"""CoreDNS under the names that distributions give it, and the cache of
https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/."""
NODE_CACHE: Final = "169.254.20.10"
"""Where that cache listens on each node; link-local, and opened for questions about names alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDns:
    """Who answers for names in a cluster: asked on port 53 by every server, whatever else it may reach."""

    peers: tuple[DnsPeer, ...] = USUAL_PEERS
    addresses: tuple[str, ...] = (NODE_CACHE,)
    """Addresses that are asked: needed where no pod answers, as in EKS Auto Mode."""
    domains: tuple[str, ...] = ("svc.cluster.local", "cluster.local")
    """With which a pod tries a name that has few dots, beside its own namespace in the first."""


def as_named(texts: tuple[str, ...]) -> ClusterDns | None:
    """What an operator names: addresses, and pods as `NAMESPACE/LABEL=VALUE`; None where nothing is named. Raises
    ValueError with the cure.
    """
    named = tuple(text.strip() for text in texts if text.strip())
    if len(named) > MOST_NAMED:
        raise ValueError(f"names {len(named)}; at most {MOST_NAMED} are allowed")
    peers, addresses = [], []
    for text in named:
        if peer := _PEER.fullmatch(text):
            peers.append(DnsPeer(peer[1], peer[2], (peer[3],)))
        else:
            addresses.append(_address(text))
    return ClusterDns(peers=tuple(peers), addresses=tuple(addresses)) if named else None


def as_resolved(resolv_conf: str, named: ClusterDns | None) -> ClusterDns:
    """With what the resolver of a pod is told: its name servers, unless others are `named`, and its search domains.

    Where the servers themselves search differs in their namespace alone, which comes before `svc.`.
    """
    servers, searched = [], []
    for line in resolv_conf.splitlines():
        match line.split():
            case ["nameserver", text, *_]:
                servers.append(text)
            case ["search", *words]:
                searched = [word.lower().rstrip(".") for word in words]
    dns = named or ClusterDns(addresses=_addresses(servers))
    first = next((number for number, word in enumerate(searched) if word.startswith("svc.")), None)
    domains = () if first is None else tuple(word for word in searched[first:] if _DOMAIN.fullmatch(word))
    return replace(dns, domains=domains) if domains else dns


def _addresses(texts: list[str]) -> tuple[str, ...]:
    found = []
    for text in (*texts, NODE_CACHE):
        try:
            found.append(_address(text))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an address nor NAMESPACE/LABEL=VALUE, such as kube-system/k8s-app=kube-dns"
        ) from None
    if str(address) == _METADATA or address.is_multicast or address.is_unspecified:
        raise ValueError(f"{address} is not opened, also not for names")
    return str(address)
