"""What a remote server's address is held to: the egress rules of its environment, judged at each connect.

A policy of a cluster holds what Archway runs there. What runs elsewhere is reached by proxies alone, so they hold its
address: by the name in its URL, and, where the rules have networks, by the address that is really connected to, since
a name's answer changes. `HeldUrl` takes the rules to where connections are opened. Pure.
"""

from functools import cached_property
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from core.egress.addresses import AddressRefused
from core.egress.rules import EgressRules, is_address

Reach = Literal["wherever", "by_address", "never"]
"""How rules stand to a host: reached wherever its name leads, reached at some addresses alone, or not at all."""
_PORTS = {"http": 80, "https": 443}


class EgressRefused(AddressRefused):
    """The policy of an environment forbids what was about to be connected; the text says what, and whose policy."""


class Held(msgspec.Struct, frozen=True, dict=True):
    """The rules of an environment, and its name. Those with one key share connections, and others never do."""

    rules: EgressRules
    environment: str = ""

    @cached_property
    def key(self) -> str:
        """A short text that is another for other rules, and for another environment."""
        return sha256(msgspec.msgpack.encode((self.rules, self.environment))).hexdigest()[:32]

    def reach(self, host: str, port: int, *, at_a_proxy: bool = False) -> Reach:
        """How the rules stand to this host. Raises EgressRefused where they never allow it.

        `at_a_proxy`: its name is looked up elsewhere, so that an address which only a network allows is not known.
        """
        found = reach_of(self.rules, host, port)
        if found == "wherever" or (found == "by_address" and not at_a_proxy):
            return found
        if found == "by_address":
            why = f"{self._policy} allows it at addresses alone, and behind HTTPS_PROXY nobody here knows its address"
            raise EgressRefused(f"{host}:{port}: {why}")
        raise EgressRefused(f"{host}:{port}: {self._policy} does not allow it")

    def why_not(self, host: str, port: int, address: str) -> str | None:
        """Why the rules forbid a host that is reached at some addresses alone at this one; None where they do not."""
        if self.rules.permits_address(address, port):
            return None
        return f"{host}:{port}: {self._policy} does not allow the address {address}"

    @property
    def _policy(self) -> str:
        return f"the egress policy of the environment {self.environment}"


class HeldUrl(str):
    """The URL of a remote server with what its address is held to. Equal to a usual one of the same text: whoever
    remembers something by URL keeps the two apart. A text that is made of it, as by joining a path, is held to
    nothing: `proxy/upstream/addresses.py` alone makes URLs of installations.
    """

    __slots__ = ("held",)

    held: Held

    def __new__(cls, url: str, held: Held) -> "HeldUrl":
        """The URL, held to these rules."""
        made = super().__new__(cls, url)
        made.held = held
        return made


def reach_of(rules: EgressRules, host: str, port: int) -> Reach:
    """How rules stand to a host, a name or an address, on this port."""
    if rules.permits_host(host, port):
        return "wherever"
    if is_address(host):
        return "never"
    return "by_address" if any(group.cidrs and group.has_port(port) for group in rules.groups) else "never"


def host_and_port(url: str) -> tuple[str, int]:
    """Of a URL that `check_url` has passed."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]
