"""Starts one program with limits, as nobody else, in a view of the machine of its own, and leaves nothing of it.

Run by its path, as a process of its own: `python -I -S confine.py PLAN COMMAND...`, where PLAN is JSON, the fields
of `Confinement`. With `own_root` the program gets namespaces of its own (namespaces(7)): a root folder in which there
is only what is named, read-only, and its own folder; and process identifiers among which there are only its own, so
that it can signal nobody else, and all of them end with the first. Without, what it leaves running is found as our
own descendants, whatever session they went to (PR_SET_CHILD_SUBREAPER, prctl(2)).

Needs only the standard library, Linux for all but the limits, and kernel 5.12 for `own_root`. Exits with the status
of the program; 112 when the confinement is refused, and says why. A root folder of one's own is made as root or, by
anybody else, within a user namespace; the capabilities that it takes are gone before the program begins.
"""

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

REFUSED = 112
NO_SUCH_PROGRAM = "no such program"
_CLONE = {"mounts": 0x00020000, "ipc": 0x08000000, "user": 0x10000000, "pids": 0x20000000}
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_NOSUID, _MS_NODEV = 4096, 16384, 1 << 18, 2, 4
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_SETATTR = -100, 0x8000, 442
_ATTR_RDONLY, _ATTR_NOSUID = 1, 2
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SCRATCH = ("/tmp", "/dev/shm")
"""Where it may write what is gone with it; that counts as memory of the machine, hence the size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """How one program is kept from the rest of the machine."""

    home: str
    """Its own folder, the one place that it may write to besides /tmp; it begins there."""
    user: int = -1
    """As whom it runs; -1 is whoever runs us."""
    own_root: bool = False
    at: str = ""
    """An empty folder on which the new root is put together."""
    shown: Sequence[str] = ()
    """Paths of which it sees what it may read anyway."""
    hidden: Sequence[str] = ()
    """Folders of which it sees nothing but its own, even where they lie in one that is shown."""
    limits: dict[str, int] = field(default_factory=dict)
    """By the names of getrlimit(2), without `RLIMIT_`."""
    grace_s: int = 5
    """How long after our SIGTERM it, and all that it started, may go on."""

    def command(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command line of a program that is confined so."""
        return (sys.executable, "-I", "-S", __file__, json.dumps(asdict(self)), *command)


def main(arguments: list[str]) -> int:
    """Confine, start, wait, clear up."""
    plan, command = Confinement(**json.loads(arguments[0])), arguments[1:]
    try:
        if plan.own_root:
            _enter_namespaces()
        elif sys.platform == "linux":
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        begun = _forked(lambda: _first(plan, command) if plan.own_root else _become(plan, command))
    except OSError as error:
        return _refused(error)
    ending = _Ending(begun, plan.grace_s)
    status = ending.wait()
    _kill_descendants()
    return status


def _first(plan: Confinement, command: list[str]) -> int:
    """Process 1 of the new namespace: its end is the end of all that is in there."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        _make_root(plan)
    except OSError as error:
        return _refused(error)
    return _Ending(_forked(lambda: _become(plan, command)), plan.grace_s).wait()


def _become(plan: Confinement, command: list[str]) -> int:
    """The program itself."""
    try:
        os.umask(0o077)
        os.chdir(plan.home)
        for name, most in plan.limits.items():
            _limit(getattr(resource, f"RLIMIT_{name}"), most)
        if plan.user >= 0:
            os.setgroups([])
            os.setresgid(plan.user, plan.user, plan.user)
            os.setresuid(plan.user, plan.user, plan.user)
        if sys.platform == "linux":
            _prctl(_PR_SET_NO_NEW_PRIVS, 1)
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of the user took it away
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
    except OSError as error:
        return _refused(error)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{NO_SUCH_PROGRAM}: {command[0]}: {error.strerror}\n")
        return 127


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))


class _Ending:
    """Waits for a child, passes SIGTERM on to it, and kills it when the grace is over."""

    def __init__(self, child: int, grace_s: int) -> None:
        self._child, self._grace = child, grace_s
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGALRM, self._insist)

    def wait(self) -> int:
        """The child's status; what else ends meanwhile was left to us."""
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == self._child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code

    def _ask(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGTERM)
        signal.alarm(self._grace)

    def _insist(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)


def _kill_descendants() -> None:
    """What is left has become our own child; what it leaves becomes that when it is dead. So it has an end."""
    signal.alarm(0)
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    me = os.getpid()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (folder / "stat").read_bytes()
            # The name stands in parentheses and may hold anything (proc(5)); after it: state, parent.
            if int(stat[stat.rindex(b")") + 2 :].split()[1]) == me:
                yield int(folder.name)


def _forked(then: Callable[[], int]) -> int:
    pid = os.fork()
    if pid == 0:
        status = REFUSED
        try:
            status = then()
        finally:
            os._exit(status)
    return pid


def _enter_namespaces() -> None:
    wanted = _CLONE["mounts"] | _CLONE["pids"] | _CLONE["ipc"]
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _asked("unshare", wanted)
        return
    _asked("unshare", wanted | _CLONE["user"])
    # setgroups must be denied before the kernel takes a gid map (user_namespaces(7)).
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _make_root(plan: Confinement) -> None:
    """Put together what the program sees, and make it the root."""
    root = plan.at
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    for path in _SCRATCH:
        Path(root + path).mkdir(parents=True)
        _mount("tmpfs", root + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777,size=256m")
    for path in plan.shown:
        _show(root, path)
    for path in plan.hidden:
        Path(root + path).mkdir(parents=True, exist_ok=True)
        _mount("tmpfs", root + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=711,size=1m")
    for name in _DEVICES:
        _show(root, f"/dev/{name}")
    for name, leads_to in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        Path(root, "dev", name).symlink_to(f"/proc/self/{leads_to}")
    for path in ("/proc", plan.home):
        Path(root + path).mkdir(parents=True, exist_ok=True)
    _set(root, _AT_RECURSIVE, _ATTR_RDONLY | _ATTR_NOSUID, 0)
    for path in _SCRATCH:
        _set(root + path, 0, 0, _ATTR_RDONLY)
    _mount(plan.home, root + plan.home, "", _MS_BIND)
    try:
        _mount("proc", root + "/proc", "proc", _MS_NOSUID | _MS_NODEV)
    except PermissionError:
        # A container that covers parts of it allows no other: this one shows more, and opens no more.
        _mount("/proc", root + "/proc", "", _MS_BIND | _MS_REC)
    os.chdir(root)
    _asked("pivot_root", b".", b".")  # the old root lies on the new one then: pivot_root(2), at its end
    _asked("umount2", b".", _MNT_DETACH)
    os.chdir("/")


def _show(root: str, path: str) -> None:
    source, target = Path(path), Path(root + path)
    if not os.path.lexists(source) or os.path.lexists(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(path, str(target), "", _MS_BIND | _MS_REC)


def _set(path: str, flags: int, on: int, off: int) -> None:
    """Attributes of a mount, and of all below it where `flags` say so: mount_setattr(2), which Python's C library may
    not know yet.
    """
    attributes = struct.pack("QQQQ", on, off, 0, 0)
    _asked("syscall", _MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, attributes, len(attributes))


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _asked("mount", source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None)


def _prctl(option: int, value: int) -> None:
    _asked("prctl", option, value, 0, 0, 0)


def _asked(function: str, *arguments: object) -> None:
    """One function of the C library; raises OSError as it says."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, function):
        raise OSError(errno.ENOSYS, f"{function}: {os.strerror(errno.ENOSYS)}")
    if getattr(library, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _refused(error: OSError) -> int:
    sys.stderr.write(f"cannot be confined: {error.strerror}{f': {error.filename}' if error.filename else ''}\n")
    sys.stderr.flush()
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
