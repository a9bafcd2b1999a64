"""As whom a program runs that must not be root: one that refuses to be, as PostgreSQL does, or one of strangers.

Not root: as we are. Root where the kernel grants user namespaces: as uid 65534 of one, with files staying root's.
Root where it does not (a container's default seccomp profile): as the real uid 65534. That user may enter neither a
folder of root's nor, say, a virtual environment under /root; a caller of this file gives it a folder of its own.
"""

import os
import subprocess

from core.children.guard import AS_WE_ARE, NAMESPACE, NOBODY, guarded

OTHER_USER = str(NOBODY)


def way_to_run() -> str:
    """What the guard is told: `-`, `userns` or a uid. Blocks for a moment where it must be tried."""
    if os.geteuid() != 0:
        return AS_WE_ARE
    # A pipe that stays open: at the end of its input the guard would stop `true` before it has ended.
    with subprocess.Popen(
        guarded(["true"], run_as=NAMESPACE, grace_s=1),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as tried:
        status = tried.wait(20)
    return NAMESPACE if status == 0 else OTHER_USER


def give(path: os.PathLike[str]) -> None:
    """Hand one file or folder over to the other user."""
    os.chown(path, NOBODY, NOBODY)
