"""Which network addresses Archway may open a connection to: public ones, and the ones that an operator opened.

`core.egress.client` asks at each connect, with the address that is really being connected; whoever stores a URL asks
`check_url` first, so that a person hears of a mistake when saving and not at the first call. Names are not
resolved here: a name's answer can change between the check and the connection, so only the connect decides.

Pure: no I/O, no clock, standard library only.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NewType
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PublicUrl = NewType("PublicUrl", str)
"""An http(s) URL that `check_url` passed and rewrote to its one normal form; send it as it stands."""

MAX_URL_CHARS = 2048
MAX_NETWORKS = 256
MAX_NAME_CHARS = 253
"""Of a host name: RFC 1035 section 2.3.4, less the root's own length byte."""


def _networks(table: Iterable[tuple[str, str]]) -> tuple[tuple[Network, str], ...]:
    return tuple((ipaddress.ip_network(cidr), meaning) for cidr, meaning in table)


# No setting opens these. The metadata services hand out the machine's own credentials to whoever asks.
NEVER = _networks([
    ("0.0.0.0/8", "this host (RFC 791)"),
    ("::/128", "this host (RFC 4291)"),
    ("169.254.0.0/16", "link-local, where clouds keep instance metadata"),
    ("fe80::/10", "link-local"),
    ("fd00:ec2::/32", "the AWS metadata services"),
    ("fd20:ce::254/128", "the Google Cloud metadata service"),
    ("168.63.129.16/32", "the Azure wire server"),
    ("100.100.100.200/32", "the Alibaba Cloud metadata service"),
    ("192.0.0.192/32", "the Oracle Cloud metadata service"),
    ("224.0.0.0/4", "multicast"),
    ("ff00::/8", "multicast"),
    ("255.255.255.255/32", "broadcast"),
])  # fmt: skip

# Closed unless an operator opens them. `ipaddress.is_global` says True for several of these (and differs between
# Python releases), which is why the list is spelled out and asked first.
_SPECIAL = _networks([
    ("10.0.0.0/8", "a private network"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "IETF protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "a private network"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("240.0.0.0/4", "reserved"),
    ("::1/128", "loopback"),
    ("::/96", "an IPv4 address in IPv6 form (deprecated)"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discard-only"),
    ("2001::/23", "IETF protocol assignments, Teredo among them"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "a private network"),
    ("fec0::/10", "a private network (site-local, deprecated)"),
])  # fmt: skip

# IPv6 prefixes that carry an IPv4 address, with how far right of the last bit it stands. A gateway on the way
# would deliver to that inner address, so it must pass by itself as well.
_CARRIES_IPV4 = (
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")


class AddressRefused(OSError):
    """The address policy forbids what was about to be connected; the text says which address and why."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be connected to. Public addresses always; `allowed` opens special ranges such as 10.0.0.0/8.

    Link-local, metadata, multicast and unspecified addresses stay shut whatever `allowed` says, also when they
    come inside an IPv6 address.
    """

    allowed: tuple[Network, ...] = ()

    def permits(self, ip: str) -> bool:
        """Whether a connection to this literal address may be opened."""
        return self.why_not(ip) is None

    def why_not(self, ip: str) -> str | None:
        """None when permitted, else one short sentence with the address and the reason, fit for an admin."""
        try:
            address = ipaddress.ip_address(ip.partition("%")[0])
        except ValueError:
            return f"{ip!r} is not an IP address"
        reason = self._reason(address)
        return None if reason is None else f"{address} is {reason}"

    def _reason(self, address: Address) -> str | None:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # ::ffff:a.b.c.d is an IPv4 connection in other clothes: the inner address is the whole truth.
            return self._reason(address.ipv4_mapped)
        never = _meaning(address, NEVER)
        if never is not None:
            return f"{never}; no setting opens it"
        inner = _carried_ipv4(address)
        inner_never = _meaning(inner, NEVER) if inner is not None else None
        if inner_never is not None:
            return f"{inner} in IPv6 form: {inner_never}; no setting opens it"
        if not any(address in network for network in self.allowed):
            return _special(address)
        return None if inner is None else self._inner_reason(inner)

    def _inner_reason(self, inner: IPv4Address) -> str | None:
        reason = self._reason(inner)
        return None if reason is None else f"{inner} in IPv6 form: {reason}"


ANYWHERE = AddressPolicy((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""All but what nothing opens: for addresses that are the operator's own word, and for links that people open."""


def _special(address: Address) -> str | None:
    special = _meaning(address, _SPECIAL)
    if special is not None:
        return f"{special}; ARCHWAY_UPSTREAM_NETWORKS can open it"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST_V6:
        return "outside the public IPv6 space"
    return None if address.is_global else "not a public address"


def _meaning(address: Address, table: tuple[tuple[Network, str], ...]) -> str | None:
    return next((meaning for network, meaning in table if address in network), None)


def _carried_ipv4(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address) or int(address) <= 1:
        return None  # :: and ::1 stand in ::/96 but carry nothing
    for network, shift in _CARRIES_IPV4:
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


def parse_networks(text: str) -> tuple[Network, ...]:
    """CIDRs separated by commas or spaces, as ARCHWAY_UPSTREAM_NETWORKS holds them; at most 256.

    Raises ValueError with the item at fault and the cure. A bare address means that one address.
    """
    items = text.replace(",", " ").split()
    if len(items) > MAX_NETWORKS:
        raise ValueError(f"{len(items)} networks are listed; at most {MAX_NETWORKS} are allowed: join neighbours")
    return tuple(dict.fromkeys(_network(item) for item in items))


def _network(item: str) -> Network:
    try:
        network = ipaddress.ip_network(item, strict=False)
    except ValueError:
        raise ValueError(f"{item!r} is not a network; write it like 10.20.0.0/16 or fd12:3456::/48") from None
    address = item.partition("/")[0]
    if ipaddress.ip_address(address) != network.network_address:
        raise ValueError(f"{item!r} has bits set right of its mask; write {network}")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError(f"{item!r} is an IPv4 network in IPv6 form; write it as IPv4")
    shut = next((why for never, why in NEVER if within(network, never)), None)
    if shut is not None:
        raise ValueError(f"{item!r} is {shut}, which is never opened; remove it")
    return network


def within(inner: Network, outer: Network) -> bool:
    """Whether all addresses of `inner` are in `outer`; one of IPv4 is in none of IPv6."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


class UrlRefused(ValueError):
    """A URL that Archway will not connect to; the text names the field, what is wrong and the cure."""


_URL_CHARS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%#]+")
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# A host whose last label is a number is an IPv4 address to resolvers, however it is spelled: 127.1, 0x7f.1.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


def check_url(url: str, policy: AddressPolicy, *, purpose: str) -> PublicUrl:
    """The URL in normal form, or UrlRefused. `purpose` names it in the error, such as "url" or "jwks_uri".

    Takes absolute http and https URLs in ASCII, at most 2048 characters, without userinfo or fragment
    (RFC 3986; RFC 9110 section 4.2.4). An IP literal is judged now, in every shape a resolver would accept;
    a name is judged when its answer is connected to. The result has a lower-case host without trailing dot,
    an address in its usual form, and no default port.
    """
    try:
        return PublicUrl(_checked(url, policy))
    except UrlRefused as refused:
        raise UrlRefused(f"{purpose}: {refused}") from None


def _checked(url: str, policy: AddressPolicy) -> str:
    if len(url) > MAX_URL_CHARS:
        raise UrlRefused(f"longer than {MAX_URL_CHARS} characters; shorten it")
    if not _URL_CHARS.fullmatch(url):
        raise UrlRefused("empty, or has a character outside RFC 3986; percent-encode it, hosts as xn-- (punycode)")
    if "#" in url:
        raise UrlRefused("has a fragment; leave out '#' and what follows")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UrlRefused("is not a URL; write it like https://host/path") from None
    if parts.scheme not in {"http", "https"}:
        raise UrlRefused("must begin with https:// or http://")
    if "@" in parts.netloc:
        raise UrlRefused("has a user name or password in it; store them as a credential")
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise UrlRefused("needs a host name or address and, if any, a port of digits after ':'")
    v6, name = authority["v6"], authority["name"]
    host = _ipv6_host(v6, policy) if v6 is not None else _named_host(name.lower(), policy)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{_port(authority['port'], parts.scheme)}{parts.path or '/'}{query}"


def _port(text: str | None, scheme: str) -> str:
    if text is None:
        return ""
    port = int(text)
    if not 1 <= port <= 65535:
        raise UrlRefused(f"port {port} does not exist; use 1 to 65535")
    return "" if port == {"http": 80, "https": 443}[scheme] else f":{port}"


def _ipv6_host(text: str, policy: AddressPolicy) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise UrlRefused(f"[{text}] is not an IPv6 address") from None
    return f"[{_judged(address, policy)}]"


def _named_host(host: str, policy: AddressPolicy) -> str:
    host = host.removesuffix(".")
    if _NUMERIC_END.fullmatch(host):
        return _judged(_ipv4(host), policy)
    if len(host) > MAX_NAME_CHARS or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise UrlRefused(f"{host!r} is not a host name (RFC 1123)")
    if host == "localhost" or host.endswith(".localhost"):
        # RFC 6761 section 6.3: these names mean loopback. Said here, because a proxy would take them as its own.
        _judged(IPv4Address("127.0.0.1"), policy)
    return host


def _ipv4(host: str) -> IPv4Address:
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        raise UrlRefused(f"{host!r} is not an IPv4 address, and no host name ends in a number") from None


def _judged(address: Address, policy: AddressPolicy) -> str:
    reason = policy.why_not(str(address))
    if reason is not None:
        raise UrlRefused(f"{reason}; use a public address")
    return str(address)
