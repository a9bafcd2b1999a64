"""How much the servers of a team are in an environment, against the quota there. Pure.

Of a server counts what its entry and environment say of it, whether it runs at the moment or not: one that is asleep
is woken without asking anybody.
"""

from dataclasses import dataclass
from typing import Final

from control.registry.environment import Quota
from control.registry.quantities import cpu_thousandths, memory_bytes, resources_of
from control.registry.self_hosted import Resources

_UNITS: Final = (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))


@dataclass(frozen=True, slots=True)
class Usage:
    """What some servers are, together."""

    servers: int = 0
    cpu: int = 0
    """Set aside, in thousandths of a processor."""
    memory: int = 0
    """Limits, in bytes."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.servers + other.servers, self.cpu + other.cpu, self.memory + other.memory)


def usage_of(servers: int, own: Resources, of_environment: Resources | None) -> Usage:
    """Of so many servers of one entry."""
    each = resources_of(own, of_environment)
    return Usage(servers, servers * cpu_thousandths(each.cpu), servers * memory_bytes(each.memory_limit))


def why_over(quota: Quota, before: Usage, after: Usage) -> str:
    """What goes over the quota, each with what is used, what is asked for and the limit; '' where nothing does.

    What was over it already, since the quota was lowered, and does not grow, is left as it is.
    """
    limits = (
        ("servers", "servers", quota.servers, str),
        ("cpu", "processors set aside", quota.cpu and cpu_thousandths(quota.cpu), cpu_told),
        ("memory", "memory limits", quota.memory and memory_bytes(quota.memory), memory_told),
    )
    found = []
    for name, what, limit, told in limits:
        used, wanted = getattr(before, name), getattr(after, name)
        if limit and wanted > max(used, limit):
            found.append(f"{what}: {told(used)} used, {told(wanted - used)} more asked for, {told(limit)} at most")
    return "; ".join(found)


def cpu_told(thousandths: int) -> str:
    """As Kubernetes writes it: `2`, `1500m`."""
    whole, rest = divmod(thousandths, 1_000)
    return f"{thousandths}m" if rest else str(whole)


def memory_told(amount: int) -> str:
    """As Kubernetes writes it, in the largest unit that goes into it without a rest: `512Mi`."""
    for unit, size in _UNITS:
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)
