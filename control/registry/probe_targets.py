"""Listening addresses and names that an operator gives to probes of egress, `ARCHWAY_PROBE_TARGETS`. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from core.egress.addresses import MAX_NAME_CHARS
from core.egress.rules import Allowed

MOST: Final = 8


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """One address, or one name, and the TCP port on which something listens there."""

    host: str
    port: int
    is_address: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def allowed(self) -> Allowed:
        """A rule that allows it and nothing else."""
        ports = (str(self.port),)
        if not self.is_address:
            return Allowed(domains=(self.host,), ports=ports)
        return Allowed(cidrs=(f"{self.host}/{ip_address(self.host).max_prefixlen}",), ports=ports)


def probe_targets(texts: Iterable[str]) -> tuple[ProbeTarget, ...]:
    """Read `HOST:PORT` each; raises ValueError, with the cure."""
    made = tuple(_target(text.strip()) for text in texts if text.strip())
    if len(made) > MOST:
        raise ValueError(f"names {len(made)} targets; {MOST} are enough")
    return made


def _target(text: str) -> ProbeTarget:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is not HOST:PORT, such as example.com:443 or [2001:db8::1]:443")
    try:
        return ProbeTarget(str(ip_address(host)), int(port), is_address=True)
    except ValueError:
        pass
    labels = host.split(".")
    if len(host) > MAX_NAME_CHARS or not all(part.replace("-", "").isalnum() and part.isascii() for part in labels):
        raise ValueError(f"{host!r} is neither an address nor a name")
    return ProbeTarget(host, int(port), is_address=False)
