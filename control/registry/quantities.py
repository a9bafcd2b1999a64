"""Quantities of processor and memory as Kubernetes writes them, in the few forms that people use.

Called when an entry is saved, and by runtimes that have to know a number of bytes. Source: Kubernetes API,
`resource.Quantity`; decimal exponents (`1e3`) are left out.
"""

import re
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.self_hosted import Resources

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
    """BrokenRule for what is no quantity, and for a limit that is less than what is set aside."""
    cpu = _cpu(resources.cpu, f"{where}.cpu")
    memory = _memory(resources.memory, f"{where}.memory")
    if _memory(resources.memory_limit, f"{where}.memory_limit") < memory:
        raise BrokenRule(
            f"{where}.memory_limit", f"must be at least the memory that is set aside, {resources.memory}"
        )
    if resources.cpu_limit and _cpu(resources.cpu_limit, f"{where}.cpu_limit") < cpu:
        raise BrokenRule(f"{where}.cpu_limit", f"must be at least the processor that is set aside, {resources.cpu}")


def _cpu(quantity: str, where: str) -> int:
    try:
        found = cpu_thousandths(quantity)
    except ValueError:
        found = 0
    if not 1 <= found <= _MOST_CPU:
        raise BrokenRule(where, "must be a number of processors, such as 0.5 or 500m (thousandths)")
    return found


def _memory(quantity: str, where: str) -> int:
    try:
        found = memory_bytes(quantity)
    except ValueError:
        found = 0
    if not _LEAST <= found <= _MOST:
        raise BrokenRule(where, "must be 16Mi to 1024Gi, such as 128Mi or 1Gi")
    return found
