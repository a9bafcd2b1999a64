"""What a server may use, for the kernel to hold it to: getrlimit(2), for each of its processes.

Of its resources the memory limit alone means something here, and the kernel counts what a process may write to of its
own (RLIMIT_DATA), not what is in memory: of address space an interpreter reserves far more than it uses.
"""

from typing import Final

from control.registry.quantities import memory_bytes
from control.registry.self_hosted import Resources

_ALWAYS: Final = {"CORE": 0, "NOFILE": 1024, "FSIZE": 2 << 30}
_PROCESSES: Final = 256
"""Of a user of its own; threads count too."""


def limits_of(resources: Resources, *, counted_alone: bool) -> dict[str, int]:
    """By the names of getrlimit(2) without `RLIMIT_`; `counted_alone`: no process of anybody else is counted with
    its own. Raises ValueError for a quantity that is none.
    """
    own = {"NPROC": _PROCESSES} if counted_alone else {}
    return _ALWAYS | own | {"DATA": memory_bytes(resources.memory_limit)}
