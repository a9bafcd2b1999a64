"""Before a question of a server is passed on: who asks, in words; and whether it may be.

Called by each stage that puts a server's question to a caller, in whichever of the ways.
"""

from core.mcp.questions import host_of, why_not_asked
from proxy.exchange import Exchange


def who_asks(x: Exchange) -> str:
    """The server and, where it is known, the installation through which it is called."""
    assert x.installation is not None
    name = x.installation.installation
    return f"{x.installation.entry} ({name})" if name else x.installation.entry


def why_not_passed_on(x: Exchange, asked: object, hosts: frozenset[str]) -> str | None:
    """Why the questions of a server, by their names, may not be put to this caller; None where they may.

    `hosts`: our own, to which no question may lead.
    """
    assert x.outbound is not None
    why = why_not_asked(asked, x.outbound.capabilities)
    if why is None and isinstance(asked, dict) and any(leads_to_us(one, hosts) for one in asked.values()):
        return "a link to a host of ours"
    return why


def leads_to_us(request: dict[str, object], hosts: frozenset[str]) -> bool:
    """Whether a question opens a link to a host of ours, or to none that can be told: a person believes us."""
    host = host_of(request)
    return host is not None and (not host or _name(host) in hosts)


def _name(host: str) -> str:
    """A host without its port, as `ProxySettings.hosts` has it; the dot of the root at its end is no other host."""
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.removesuffix(".")
