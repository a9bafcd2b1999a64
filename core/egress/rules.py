"""What a server may reach: nothing, everything, or named networks and hosts on named ports. Pure.

Kept for an environment (`control/registry/egress.py`), made into network policies in a cluster, and held for remote
servers by whoever connects to them.
The grammar of a domain: `api.example.com` is that name; `*.example.com` one label before it; `**.example.com` any
number of labels before it. Neither of the two is `example.com` itself.
"""

from typing import Literal

import msgspec

EgressMode = Literal["off", "all", "restricted"]


class Allowed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Destinations that are reached on the same ports."""

    cidrs: tuple[str, ...] = ()
    """Networks in CIDR notation, IPv4 or IPv6."""
    domains: tuple[str, ...] = ()
    """Lower-case host names, perhaps with a wildcard in front."""
    ports: tuple[str, ...] = ("443",)
    """TCP ports: `443`, or a range `5432-5440`."""


class EgressRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server may reach, with all presets looked up."""

    mode: EgressMode = "all"
    """`off`: nothing but DNS. `all`: everything that nothing else shuts. `restricted`: what is allowed."""
    allowed: tuple[Allowed, ...] = ()
    """Of `restricted`; nothing there is the same as `off`."""
