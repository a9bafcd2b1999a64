"""The state folder of `archway up`: who may enter, who runs it now, and what lies where.

Mode 0700. One process holds the folder's lock (flock, so that the kernel lets go with its holder's last breath);
everything else in here may be left behind by a kill at any moment and is fit to be read afterwards.
Left out: what the files mean; that is beside the code that uses them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from archway.private_files import read_json
from core.children.identity import Identity, identify, lives

DEFAULT = ".archway"


class BadState(Exception):
    """The state folder cannot be used; the sentence says why and what to do."""


class AlreadyRunning(Exception):
    """Another `archway up` holds the folder."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths within the folder; `open_state` makes one."""

    root: Path

    @property
    def keys(self) -> Path:
        """The deployment's keys, lines of `NAME=value`."""
        return self.root / "keys.env"

    @property
    def remembered(self) -> Path:
        """Passwords and ports of the servers started here."""
        return self.root / "servers.json"

    @property
    def setup(self) -> Path:
        """What the first setup made: identifiers and the gateway's token."""
        return self.root / "setup.json"

    @property
    def first_servers(self) -> Path:
        """Which servers were installed once, to be run here."""
        return self.root / "first-servers.json"

    @property
    def servers(self) -> Path:
        """Homes and logs of the servers that run here (control/processes/layout.py)."""
        return self.root / "servers"

    @property
    def up(self) -> Path:
        """What runs now, for other tools."""
        return self.root / "up.json"

    @property
    def ports(self) -> Path:
        """Where the proxy's supervisor says what it bound and who its workers are."""
        return self.root / "run" / "proxy.ports.json"

    @property
    def runs(self) -> tuple[Path, ...]:
        """Folders in which guards write down which processes there are."""
        return self.root / "run", self.servers / "run"

    def record_of(self, program: str) -> Path:
        """Where a program's guard writes down both their identities."""
        return self.root / "run" / f"{program}.json"

    def log_of(self, program: str) -> Path:
        """A program's output."""
        return self.root / "logs" / f"{program}.log"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one process that runs this folder; raises AlreadyRunning."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(self._who()) from None
            me = identify(os.getpid())
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, orjson.dumps({"pid": os.getpid(), "began": me.began if me else ""}), 0)
            yield
        finally:
            os.close(descriptor)

    def holder(self) -> Identity | None:
        """The `archway up` that holds the folder now, if one does."""
        if not self._locked():
            return None
        lock = read_json(self.root / "lock")
        identity = Identity(int(lock.get("pid", 0)), str(lock.get("began", "")))
        return identity if lives(identity) else None

    def _locked(self) -> bool:
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _who(self) -> str:
        pid = read_json(self.root / "lock").get("pid", "unknown")
        url = read_json(self.up).get("proxy_url")
        where = f", proxy at {url}" if url else ", still starting"
        return f"already running on {self.root} (pid {pid}{where}); stop it with `archway down --state {self.root}`"


def open_state(path: Path) -> StateFolder:
    """The folder, made or put right; raises BadState rather than take over a folder that is not ours."""
    root = path.expanduser().absolute()
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(root.iterdir()) and not (root / "lock").exists():
            raise BadState(f"{root} holds other files; choose an empty or new folder with --state")
        if root.stat().st_uid != os.geteuid():
            raise BadState(f"{root} belongs to another user; choose a folder of your own with --state")
        (root / "lock").touch(mode=0o600)
        root.chmod(0o700)
        for inner in ("run", "logs"):
            (root / inner).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BadState(f"{root} cannot be used: {error.strerror}; choose another folder with --state") from None
    return StateFolder(root)


def existing_state(path: Path) -> StateFolder:
    """The folder as it is, for commands that only look; it may not exist."""
    return StateFolder(path.expanduser().absolute())
