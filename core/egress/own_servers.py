"""URLs of servers that Archway runs itself, which may be at addresses where servers of others may not.

A process of this machine answers on loopback, a pod of a cluster at a private address; what people enter as the URL
of a server must lead to neither, unless an operator opens it. So the exemption is in the type of the URL, and nothing
that a person wrote ever becomes one: `proxy/upstream/addresses.py` alone makes it, of what control's runtimes run.
A text that is made of such a URL, as by joining a path, is a usual one again, and judged like everybody's.
"""

from core.egress.addresses import ANYWHERE, AddressPolicy


class RuntimeUrl(str):
    """The URL of a server that control's own runtime runs. Equal to a usual one of the same text: whoever remembers
    something by URL keeps the two apart.
    """

    __slots__ = ()


OWN_SERVERS: AddressPolicy = ANYWHERE
"""Where such servers may be: not at link-local addresses, where clouds keep what a machine may not tell."""
