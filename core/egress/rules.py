"""What a server may reach: nothing, everything, or named networks and hosts on named ports. Pure.

Kept for an environment (`control/registry/egress.py`), made into network policies in a cluster, and held for remote
servers by whoever connects to them. What a person writes is checked by `destinations.py` first.
The grammar of a domain: `api.example.com` is that name; `*.example.com` one label before it; `**.example.com` any
number of labels before it, but at least one. Neither of the two is `example.com` itself.
"""

import ipaddress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, Literal

import msgspec

from core.egress.addresses import NEVER, Address, Network

EgressMode = Literal["off", "all", "restricted"]
_NAT64: Final = IPv6Network("64:ff9b::/96")


def in_ipv6(network: IPv4Network) -> IPv6Network:
    """An IPv4 network as a translator (RFC 6052) takes it for."""
    return IPv6Network((int(_NAT64.network_address) + int(network.network_address), 96 + network.prefixlen))


SHUT: Final[tuple[Network, ...]] = (
    *(network for network, _ in NEVER),
    *(in_ipv6(network) for network, _ in NEVER if isinstance(network, IPv4Network)),
    # Other forms that carry an IPv4 address, which nobody uses now.
    *(IPv6Network(text) for text in ("::/96", "64:ff9b:1::/48", "2002::/16")),
)
"""What no rule opens, not even `all`: link-local, where clouds keep what a machine may not tell, and the like."""


class Allowed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Destinations that are reached on the same ports."""

    cidrs: tuple[str, ...] = ()
    """Networks in CIDR notation, IPv4 or IPv6."""
    domains: tuple[str, ...] = ()
    """Lower-case host names, perhaps with a wildcard in front."""
    ports: tuple[str, ...] = ("443",)
    """TCP ports: `443`, or a range `5432-5440`."""

    def names(self, host: str, port: int) -> bool:
        """Whether this host, in lower case and without a dot at its end, is one of the domains."""
        return self.has_port(port) and any(matches(domain, host) for domain in self.domains)

    def holds(self, address: Address, port: int) -> bool:
        """Whether this address is in one of the networks."""
        return self.has_port(port) and any(address in _network(cidr) for cidr in self.cidrs)

    def has_port(self, port: int) -> bool:
        """Whether this TCP port is one of the ports."""
        return any(first <= port <= last for first, last in map(port_range, self.ports))


class EgressRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server may reach, with all presets looked up."""

    mode: EgressMode = "all"
    """`off`: nothing but DNS. `all`: everything that nothing else shuts. `restricted`: what is allowed."""
    allowed: tuple[Allowed, ...] = ()
    """Of `restricted`; nothing there is the same as `off`. Read by `groups`."""

    @property
    def groups(self) -> tuple[Allowed, ...]:
        """The destinations that are allowed one by one: those of `restricted`, and none of the other modes."""
        return self.allowed if self.mode == "restricted" else ()

    @property
    def has_domains(self) -> bool:
        """Whether a place must be able to hold names, to hold these rules."""
        return any(group.domains for group in self.groups)

    def permits_host(self, host: str, port: int) -> bool:
        """Whether a TCP connection to a host of this name may be opened, whatever its address is. One that is an
        address is judged as `permits_address` does.

        A name that no domain allows may still lead to an address in an allowed network: whoever knows the address
        asks for that too. One that is allowed may lead to an address that is shut: who connects judges that.
        """
        if is_address(host):
            return self.permits_address(_bare(host), port)
        return self.mode == "all" or any(group.names(_bare(host), port) for group in self.groups)

    def permits_address(self, ip: str, port: int) -> bool:
        """Whether a TCP connection to this address may be opened, by whatever name it was found; False for a text
        that is no address.
        """
        address = _address(ip)
        if address is None or any(address in network for network in SHUT):
            return False
        return self.mode == "all" or any(group.holds(address, port) for group in self.groups)


def matches(domain: str, host: str) -> bool:
    """Whether a domain of the grammar above names this host; both in lower case."""
    if domain.startswith("**."):
        return host.endswith(domain[2:]) and len(host) > len(domain) - 2
    if domain.startswith("*."):
        first, dot, rest = host.partition(".")
        return bool(first and dot) and rest == domain[2:]
    return host == domain


def port_range(text: str) -> tuple[int, int]:
    """The first and the last port of `443` or `5432-5440`; ValueError for any other text."""
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def is_address(host: str) -> bool:
    """Whether a host, as a URL has it, is an address and no name."""
    return _address(_bare(host)) is not None


def _bare(host: str) -> str:
    """In lower case, without the dot at its end, and without the brackets of IPv6."""
    return host.lower().removesuffix(".").removeprefix("[").removesuffix("]")


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return IPv4Address(address.ipv4_mapped)
    return address


@lru_cache(4096)
def _network(cidr: str) -> Network:
    return ipaddress.ip_network(cidr)
