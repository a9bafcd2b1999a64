"""Networks of a policy without what is shut in them: blocks with exceptions, as every kind writes them. Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final

from core.egress.addresses import Network, within
from core.egress.rules import SHUT, in_ipv6

EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Block:
    """A network, and the parts of it that stay shut."""

    cidr: str
    shut: tuple[str, ...]

    def said(self) -> dict[str, Any]:
        """As NetworkPolicy and all who follow it write it."""
        return {"cidr": self.cidr} | ({"except": list(self.shut)} if self.shut else {})


def blocks(cidrs: Iterable[str], never: Iterable[Network]) -> list[Block]:
    """Each network with its exceptions, without those of which nothing is left. An IPv4 network of `never` is shut
    where a translator reaches it, too.
    """
    shut = _shut(never)
    made = (_block(ipaddress.ip_network(cidr), shut) for cidr in cidrs)
    return [block for block in made if block is not None]


def shut_but_for(addresses: Iterable[str], never: Iterable[Network]) -> list[str]:
    """All networks that stay shut whoever allows them, without these addresses, in the fewest networks."""
    parts = _shut(never)
    for address in addresses:
        parts = [left for part in parts for left in _without(part, ipaddress.ip_network(address))]
    return [str(one) for version in (4, 6) for one in _joined(parts, version)]


def _shut(never: Iterable[Network]) -> list[Network]:
    never = tuple(never)
    return [*SHUT, *never, *(in_ipv6(one) for one in never if isinstance(one, IPv4Network))]


def _without(network: Network, hole: Network) -> list[Network]:
    if within(network, hole):
        return []
    if isinstance(network, IPv4Network) and isinstance(hole, IPv4Network) and hole.subnet_of(network):
        return list(network.address_exclude(hole))
    if isinstance(network, IPv6Network) and isinstance(hole, IPv6Network) and hole.subnet_of(network):
        return list(network.address_exclude(hole))
    return [network]


def _block(network: Network, shut: Iterable[Network]) -> Block | None:
    parts = _joined([one for one in shut if within(one, network) or within(network, one)], network.version)
    if any(within(network, part) for part in parts):
        return None
    return Block(str(network), tuple(map(str, parts)))


def _joined(networks: Iterable[Network], version: int) -> list[Network]:
    """The same addresses in the fewest networks, in their order."""
    if version == 4:
        return list(ipaddress.collapse_addresses(one for one in networks if isinstance(one, IPv4Network)))
    return list(ipaddress.collapse_addresses(one for one in networks if isinstance(one, IPv6Network)))
