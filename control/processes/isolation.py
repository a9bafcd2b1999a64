"""How much of a confinement this machine allows: found out once, by trying.

As root each server has a user of its own, from a range of numbers that nobody else uses; as anybody else it is us in
a user namespace. Both with a view of the machine of its own (confine.py) where the kernel makes one; where it does
not, root still gives users, and others can give nothing. Nothing of strangers is ever run as root.
"""

import os
import random
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from control.processes.confine import Confinement
from control.processes.layout import Layout
from core.children.identity import Identity, end, identify

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store")
"""What programs of the system need; a server sees of it what its user may read."""
_OURS = ("bridge", "core")
_TRIED = "import os, core.identifiers; open(os.environ['HOME'] + '/tmp/it', 'w').close()"
_TRY_S = 20.0
_DRAWS = 100
_KILLS = 5

Word = Literal["user", "namespace", "none"]


class NoIsolation(Exception):
    """Servers would have to run as root here; the sentence says what was tried."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What is done for each server of one process runtime."""

    word: Word
    """As people are told: a `user` of its own, a `namespace`, or `none`."""
    own_root: bool
    """Whether it sees a machine in which there is little else."""
    users: range
    """Of which each gets its own; empty where it is us."""
    shown: tuple[str, ...]


def find_isolation(layout: Layout, users: range, may_read: tuple[str, ...]) -> Isolation:
    """The best that works; raises NoIsolation. Blocks for a second or two."""
    root, shown = os.geteuid() == 0, what_is_shown(may_read)
    mine: Word = "user" if root else "namespace"
    said = ""
    for word, own_root in ((mine, True), ("user" if root else "none", False)):
        tried = Isolation(word, own_root, users if root else range(0), shown)
        said = _why_not(tried, layout)
        if not said:
            return tried
    raise NoIsolation(f"servers would have to run as root here: {said}")


def confinement(isolation: Isolation, layout: Layout, home: Path, user: int | None, **limits: int) -> Confinement:
    """How one server is confined."""
    return Confinement(
        home=str(home),
        user=-1 if user is None else user,
        own_root=isolation.own_root,
        at=str(layout.mountpoint),
        shown=isolation.shown,
        hidden=(str(_closed_around(layout.root)),),
        limits=limits,
    )


def user_for(isolation: Isolation, layout: Layout, installation_id: str) -> int | None:
    """As whom it runs: as ever, or as somebody whom nobody is; None is as we are. Raises NoIsolation."""
    if not isolation.users:
        return None
    known = layout.user_of(installation_id)
    if known is not None and known in isolation.users:
        return known
    taken = {layout.user_of(other) for other in layout.present()}
    for _ in range(_DRAWS):  # at random, since another Archway on this machine may draw from the same range
        drawn = random.SystemRandom().choice(isolation.users)
        if drawn not in taken and not processes_of(drawn):
            return drawn
    raise NoIsolation("all users of ARCHWAY_SERVERS_USERS are taken")


def processes_of(user: int) -> list[Identity]:
    """The living processes of one user."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            owner = folder.stat().st_uid
        except OSError:
            continue
        if owner == user and (who := identify(int(folder.name))):
            found.append(who)
    return found


def end_all_of(user: int) -> None:
    """Kill whatever a user that is one server's alone still runs. Blocks, for some seconds at most."""
    for _ in range(_KILLS):
        if not (left := processes_of(user)):
            return
        end(left, grace=0.0)


def what_is_shown(may_read: tuple[str, ...]) -> tuple[str, ...]:
    """Paths for `Confinement.shown`: those that hold others come first."""
    names = os.environ.get("PATH", "").split(os.pathsep)
    programs = [Path(name) for name in names if name.startswith("/")]
    paths = [Path(name) for name in (*SYSTEM, *may_read)] + [Path(sys.prefix), Path(sys.base_prefix)]
    paths += [path for path in programs if path.is_dir()]
    # npm's own files lie beside the folder of its programs, as in ~/.nvm/versions/node/v22.1.0.
    paths += [modules for path in programs if (modules := path.parent / "lib" / "node_modules").is_dir()]
    paths += [path.resolve() for path in (*paths, Path("/etc/resolv.conf"), Path("/etc/localtime"))]
    paths += [Path(spec.origin).parent for name in _OURS if (spec := find_spec(name)) and spec.origin]
    return tuple(dict.fromkeys(str(path) for path in sorted(paths, key=lambda path: len(path.parts))))


def _closed_around(folder: Path) -> Path:
    """What is hidden for certain: the folder, or the one that holds it where that is nobody else's either."""
    return folder if folder.parent.stat().st_mode & 0o077 else folder.parent


def _why_not(isolation: Isolation, layout: Layout) -> str:
    """'' where a program of ours runs so, else what was said. A home is made for it, and taken away."""
    name = "try"
    try:
        user = isolation.users[-1] if isolation.users else None
        layout.make_home(name, user, {})
        confined = confinement(isolation, layout, layout.home(name), user)
        tried = subprocess.run(
            confined.command((sys.executable, "-c", _TRIED)),
            capture_output=True,
            text=True,
            timeout=_TRY_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"HOME": str(layout.home(name))},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    else:
        said = tried.stderr.strip().splitlines()
        return "" if tried.returncode == 0 else said[-1] if said else f"ended with status {tried.returncode}"
    finally:
        layout.take_away(name)
