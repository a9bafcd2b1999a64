"""Who asks, in words, before a question of a server is passed on; and whether its link leads to one of our hosts."""

from core.mcp.questions import host_of
from proxy.exchange import Exchange


def who_asks(x: Exchange) -> str:
    """The server and, where it is known, the installation through which it is called."""
    assert x.installation is not None
    name = x.installation.installation
    return f"{x.installation.entry} ({name})" if name else x.installation.entry


def leads_to_us(request: dict[str, object], hosts: frozenset[str]) -> bool:
    """Whether a question opens a link to a host of ours, or to none that can be told: a person believes us."""
    host = host_of(request)
    return host is not None and (not host or _name(host) in hosts)


def _name(host: str) -> str:
    """A host without its port, as `ProxySettings.hosts` has it; the dot of the root at its end is no other host."""
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.removesuffix(".")
