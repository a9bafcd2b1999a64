"""The network that an address counts as, wherever something is counted or bounded by who asks. Pure."""

from ipaddress import IPv6Address, ip_address


def network_of(address: str) -> str:
    """An address as it is counted: whoever has one of IPv6 has a whole /64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped is not None else parsed.exploded[:19]
    return str(parsed)
