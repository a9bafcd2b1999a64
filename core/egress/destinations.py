"""What a person may write as a destination of servers: networks, domains and ports, each with the cure of a mistake.

Stricter than what network policies take, so that a mistake is told to whoever makes it and not by a cluster later.
Texts come back in their one normal form: lower case, IPv6 compressed, each once. Pure.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from ipaddress import IPv6Network
from typing import Final

from core.egress.addresses import MAX_NAME_CHARS, Network, within
from core.egress.rules import SHUT, Allowed, port_range

MOST_CIDRS: Final = 100
"""Of one group of destinations, as of a preset."""
MOST_DOMAINS: Final = 100
MOST_PORTS: Final = 40
"""What Cilium takes in one rule."""
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORTS: Final = re.compile(r"[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?")
_LAST_PORT: Final = 65535


class BadDestination(ValueError):
    """A text that is no destination: its `field` (`cidrs`, `domains` or `ports`), what is wrong, and the cure."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


def checked(allowed: Allowed) -> Allowed:
    """The same destinations in normal form; raises BadDestination."""
    made = Allowed(
        cidrs=_all("cidrs", allowed.cidrs, MOST_CIDRS, checked_cidr),
        domains=_all("domains", allowed.domains, MOST_DOMAINS, checked_domain),
        ports=_all("ports", allowed.ports, MOST_PORTS, checked_ports),
    )
    if not made.ports:
        raise BadDestination("ports", "is empty; name at least one, such as 443")
    return made


def checked_cidr(text: str) -> str:
    """A network in normal form; ValueError with what is wrong and the cure."""
    try:
        network = ipaddress.ip_network(text.replace("%", "/"), strict=False)  # an address of one interface is none
    except ValueError:
        raise ValueError(f"{_shown(text)} is not a network; write it like 203.0.113.0/24 or 2001:db8::/48") from None
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        raise ValueError(f"{_shown(text)} says no length; write {network}")
    if ipaddress.ip_address(address) != network.network_address:
        raise ValueError(f"{_shown(text)} has bits set right of its mask; write {network}")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError(f"{_shown(text)} is an IPv4 network in IPv6 form; write it as IPv4")
    if is_shut(network):
        raise ValueError(f"{network} is link-local, metadata or no host's, which nothing opens; leave it out")
    return str(network)


def is_shut(network: Network) -> bool:
    """Whether no address of it can ever be reached."""
    return any(within(network, shut) for shut in SHUT)


def checked_domain(text: str) -> str:
    """A host name, perhaps behind `*.` or `**.`, in normal form; ValueError with what is wrong and the cure.

    A wildcard stands before at least two labels: `*.com` would be every company's. Names of what is in a cluster are
    not refused, though most clusters hold names of the outside only.
    """
    if not text.isascii():
        raise ValueError(f"{_shown(text)} is not in ASCII; write such names as xn-- (punycode, RFC 5891)")
    domain = text.lower().removesuffix(".")
    name = domain.removeprefix("**." if domain.startswith("**.") else "*.")
    labels = name.split(".")
    if "*" in name:
        raise ValueError(f"{_shown(text)}: wildcards stand in front: *.example.com, **.example.com")
    if len(name) > MAX_NAME_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{_shown(text)} is not a host name; write it like api.example.com")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        raise ValueError(f"{_shown(text)} would be read as an address; those are networks, such as 203.0.113.7/32")
    if labels[-1] == "localhost" or len(labels) < 2:
        raise ValueError(f"{_shown(text)} needs at least two labels of a public name, such as example.com")
    return domain


def checked_ports(text: str) -> str:
    """A port or a range of ports; ValueError with what is wrong and the cure."""
    if not _PORTS.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no port; write 443, or a range 5432-5440")
    first, last = port_range(text)
    if max(first, last) > _LAST_PORT:
        raise ValueError(f"{_shown(text)}: ports end at {_LAST_PORT}")
    if first > last:
        raise ValueError(f"{_shown(text)} ends before it begins; write {last}-{first}")
    return str(first) if first == last else text


def _all(field: str, texts: Iterable[str], most: int, check: Callable[[str], str]) -> tuple[str, ...]:
    given = tuple(texts)
    if len(given) > most:
        raise BadDestination(field, f"names {len(given)}; at most {most} are allowed; make another preset")
    try:
        return tuple(dict.fromkeys(map(check, given)))
    except ValueError as fault:
        raise BadDestination(field, str(fault)) from None


def _shown(text: str) -> str:
    """What was written, as far as it fits into a sentence."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
