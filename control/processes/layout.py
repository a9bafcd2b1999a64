"""Where everything of the process runtime lies: one folder that only we enter, and in it one for each server.

    homes/ID   the server's own: its user's, where it has one
    logs/      what each said, in this run and the one before it
    run/       which processes these are, for the next start (core/children/orphans.py)
    root/      empty; on it a server's view of the machine is put together

Nothing in it is worth a backup: all of it is made of the database's rows again.
"""

import errno
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from core.children.orphans import end_program

SECRETS = "secrets"
_LONGEST_REASON = 200
_INSIDE = ("homes", "logs", "run", "root")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths within the folder; `open_layout` makes it."""

    root: Path

    @property
    def mountpoint(self) -> Path:
        """On which a view is put together."""
        return self.root / "root"

    def home(self, installation_id: str) -> Path:
        """The server's own folder."""
        return self.root / "homes" / installation_id

    def log(self, installation_id: str) -> Path:
        """What it said in this run."""
        return self.root / "logs" / f"{installation_id}.log"

    def previous_log(self, installation_id: str) -> Path:
        """What it said in the run before this one."""
        return self.root / "logs" / f"{installation_id}.log.1"

    def record(self, installation_id: str, turn: str = "") -> Path:
        """Which processes these are; `turn` tells apart those that run side by side."""
        return self.root / "run" / f"{installation_id}{turn}.json"

    def present(self) -> frozenset[str]:
        """The installations of which something is there."""
        names = {one.name for one in self.root.joinpath("homes").iterdir()}
        names |= {one.name.partition(".")[0] for one in self.root.joinpath("run").iterdir()}
        return frozenset(name for name in names if _is_installation(name))

    def user_of(self, installation_id: str) -> int | None:
        """As whom it runs: whom its folder belongs to; None for one that is not there."""
        try:
            return self.home(installation_id).stat().st_uid
        except FileNotFoundError:
            return None

    def make_home(self, installation_id: str, user: int | None, files: dict[str, str], turn: str = "") -> None:
        """Its folder, with the files that it was given, in its user's hands where that is not us. Without a `turn`
        nothing of it runs. Raises OSError.
        """
        home = self.home(installation_id)
        secrets = home / f"{SECRETS}{turn}"
        home.mkdir(mode=0o700, exist_ok=True)
        for left in () if turn else home.glob(f"{SECRETS}.*"):
            _forget(left)
        _forget(secrets)
        secrets.mkdir(mode=0o700)
        (home / "tmp").mkdir(mode=0o700, exist_ok=True)
        for name, content in files.items():
            descriptor = os.open(secrets / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(content)
        if user is not None:
            for path in (*secrets.iterdir(), secrets, home / "tmp", home):
                os.chown(path, user, user, follow_symlinks=False)

    def forget_files(self, installation_id: str, turn: str) -> None:
        """Those that were given to one that has ended beside another; raises OSError for what does not go."""
        _forget(self.home(installation_id) / f"{SECRETS}{turn}")

    def take_away(self, installation_id: str) -> None:
        """All that lies here of it; raises OSError for what does not go."""
        _remove(self.home(installation_id))
        records = self.root.joinpath("run").glob(f"{installation_id}*.json")
        for path in (self.log(installation_id), self.previous_log(installation_id), *records):
            path.unlink(missing_ok=True)

    def end_leftovers(self) -> None:
        """End what a run before this one left running. Blocks, for some seconds where there is any."""
        for record in sorted(self.root.joinpath("run").glob("*.json")):
            end_program(record, 2.0)


def open_layout(root: Path) -> Layout:
    """The folder, made or put right. Root's lets other users through to their homes. Raises OSError."""
    for_others = os.geteuid() == 0
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for inner in _INSIDE:
        (root / inner).mkdir(mode=0o700, exist_ok=True)
    for path in (root, root / "homes"):
        path.chmod(0o711 if for_others else 0o700)
    return Layout(root)


def _is_installation(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _forget(secrets: Path) -> None:
    if secrets.is_symlink() or secrets.is_file():  # the folder is the server's, who may put there what it likes
        secrets.unlink()
    _remove(secrets)


def _remove(folder: Path) -> None:
    """By programs of the system, since a server may have nested folders deeper than Python's own way gets."""
    if not folder.exists():
        return
    if os.geteuid() != 0:  # a server may have closed it against its own user, who may be us
        _ = _ran("chmod", "-R", "u+rwx", "--", str(folder))
    if why_not := _ran("rm", "-rf", "--", str(folder)):
        raise OSError(errno.EIO, f"cannot be removed: {why_not}", str(folder))


def _ran(*command: str) -> str:
    """'' where it worked, else what it said."""
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    return (done.stderr.strip()[:_LONGEST_REASON] or str(done.returncode)) if done.returncode else ""
