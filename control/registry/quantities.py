"""Quantities of processor and memory as Kubernetes writes them, in the few forms that people use; and what a server
may use in the end.

Called when an entry or an environment is saved, and by runtimes that have to know a number of bytes. Source:
Kubernetes API, `resource.Quantity`; decimal exponents (`1e3`) are left out.
"""

import re
from collections.abc import Callable
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.self_hosted import USUAL, Resources

_CPU: Final = re.compile(r"(?:[1-9][0-9]{0,2}(?:\.[0-9]{1,3})?|0\.[0-9]{1,3}|[1-9][0-9]{0,5}m)")
_MEMORY: Final = re.compile(r"([1-9][0-9]{0,11})(Ki|Mi|Gi|k|M|G)?")
_BYTES: Final = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}
_LEAST: Final = 16 << 20
"""Bytes under which no interpreter starts."""
_MOST: Final = 1 << 40
_MOST_CPU: Final = 1_000_000
"""Thousandths."""


def memory_bytes(quantity: str) -> int:
    """How many bytes; ValueError for what is no quantity of memory."""
    found = _MEMORY.fullmatch(quantity)
    if found is None:
        raise ValueError("no quantity of memory")
    return int(found[1]) * _BYTES[found[2] or ""]


def cpu_thousandths(quantity: str) -> int:
    """How many thousandths of a processor; ValueError for what is no quantity of them."""
    if _CPU.fullmatch(quantity) is None:
        raise ValueError("no quantity of processors")
    return int(quantity[:-1]) if quantity.endswith("m") else round(float(quantity) * 1_000)


def check_resources(resources: Resources, where: str = "run.resources") -> None:
    """BrokenRule for what is no quantity, and for a limit that is less than what is set aside. '' is nothing said."""
    cpu, cpu_limit = _cpu(resources.cpu, f"{where}.cpu"), _cpu(resources.cpu_limit, f"{where}.cpu_limit")
    memory = _memory(resources.memory, f"{where}.memory")
    memory_limit = _memory(resources.memory_limit, f"{where}.memory_limit")
    if memory_limit and memory_limit < memory:
        raise BrokenRule(
            f"{where}.memory_limit", f"must be at least the memory that is set aside, {resources.memory}"
        )
    if cpu_limit and cpu_limit < cpu:
        raise BrokenRule(f"{where}.cpu_limit", f"must be at least the processor that is set aside, {resources.cpu}")


def resources_of(own: Resources, of_environment: Resources | None) -> Resources:
    """What a server may use: what its entry says, else its environment, else what is usual. Only a limit of
    processors may be left unsaid.

    Each of the three was checked by itself. Where an amount and its limit come from two of them and do not go
    together, the one that is said nearer to the server stays, and the other gives way.
    """
    result = USUAL
    for nearer in (of_environment or Resources(), own):
        cpu, cpu_limit = _pair((nearer.cpu, nearer.cpu_limit), (result.cpu, result.cpu_limit), cpu_thousandths)
        memory, memory_limit = _pair(
            (nearer.memory, nearer.memory_limit), (result.memory, result.memory_limit), memory_bytes
        )
        result = Resources(cpu=cpu, memory=memory, memory_limit=memory_limit, cpu_limit=cpu_limit)
    return result


def _pair(nearer: tuple[str, str], farther: tuple[str, str], amount: Callable[[str], int]) -> tuple[str, str]:
    """What is set aside, and its limit."""
    aside, limit = nearer[0] or farther[0], nearer[1] or farther[1]
    if not limit or amount(aside) <= amount(limit):
        return aside, limit
    return (aside, aside) if nearer[0] else (limit, limit)


def check_amount_of_processors(quantity: str, where: str) -> int:
    """How many thousandths; BrokenRule for what is no quantity of processors."""
    try:
        found = cpu_thousandths(quantity)
    except ValueError:
        found = 0
    if not 1 <= found <= _MOST_CPU:
        raise BrokenRule(where, "must be a number of processors, such as 0.5 or 500m (thousandths)")
    return found


def check_amount_of_memory(quantity: str, where: str) -> int:
    """How many bytes; BrokenRule for what is no quantity of memory, and for one that no server could be of."""
    try:
        found = memory_bytes(quantity)
    except ValueError:
        found = 0
    if not _LEAST <= found <= _MOST:
        raise BrokenRule(where, "must be 16Mi to 1024Gi, such as 128Mi or 1Gi")
    return found


def _cpu(quantity: str, where: str) -> int:
    return check_amount_of_processors(quantity, where) if quantity else 0


def _memory(quantity: str, where: str) -> int:
    return check_amount_of_memory(quantity, where) if quantity else 0
