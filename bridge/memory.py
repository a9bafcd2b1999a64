"""How often the kernel ended something here for want of memory: the only one who knows why a server got SIGKILL."""

import re
from pathlib import Path
from typing import Final

EVENTS: Final = Path("/sys/fs/cgroup/memory.events")
"""Of the container's own control group (cgroup v2); a machine's root has none."""
_KILLED: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def killed_for_memory(events: Path = EVENTS) -> int:
    """The number so far; 0 where that cannot be told."""
    try:
        found = _KILLED.search(events.read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0
