"""Runs one program as a child and ends it when our parent goes away, by whatever cause.

Run by its path, as a process of its own: `python -I -S guard.py STOP RUN_AS GRACE RECORD COMMAND...`, with a pipe as
standard input that the parent holds open and never writes to; `guarded` makes that command line for child.py and for
programs that run once. The pipe's end is the one sign that reaches us after any death of the parent, SIGKILL
included, on every system; no daemon, no polling, no guessing from pid files.

STOP    the number of the signal that asks the program to stop
RUN_AS  "-" as we are; "userns" as uid 65534 of a new user namespace, which is us outside of it (so that PostgreSQL,
        which refuses root, runs for root without a system user being added or a folder being opened up);
        a number: as that user
GRACE   seconds between the stop signal and SIGKILL
RECORD  a file that says which processes these are, for orphans.py: {"guard": [pid, began], "program": [pid, began],
        "stop": STOP}; "-" for none

Exits with the program's status; 111 when the user namespace is refused. Needs only the standard library and
identity.py beside it: with -I and -S no other package can be imported, so that nothing changes what is run here.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FrameType, ModuleType

AS_WE_ARE, NAMESPACE = "-", "userns"
CLONE_NEWUSER = 0x10000000
NOBODY = 65534
NO_NAMESPACE = 111
_NO_RECORD = "-"
_RECORD_AGAIN_S = 1.0


def guarded(
    command: Sequence[str],
    *,
    stop: int = signal.SIGTERM,
    run_as: str = AS_WE_ARE,
    grace_s: float,
    record: Path | None = None,
) -> list[str]:
    """The command line of a program behind its guard. Whoever starts it gives it a pipe as standard input."""
    told = (str(int(stop)), run_as, str(grace_s), str(record or _NO_RECORD))
    return [sys.executable, "-I", "-S", __file__, *told, *command]


def main(arguments: list[str]) -> int:
    """Run, watch, end."""
    stop, run_as, grace, record, *command = arguments
    identity: dict[str, object] = {}
    if run_as == NAMESPACE:
        _enter_user_namespace()
    elif run_as != AS_WE_ARE:
        identity = {"user": int(run_as), "group": int(run_as), "extra_groups": []}
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # a terminal's; our parent decides
    program: subprocess.Popen[bytes] = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **identity,  # type: ignore[call-overload] # keywords chosen above
    )
    ending = _Ending(program, int(stop), float(grace))
    signal.signal(signal.SIGTERM, ending.begin)
    if record != _NO_RECORD and not _recorded(Path(record), program.pid, int(stop)):
        threading.Thread(target=_record_later, args=(Path(record), program.pid, int(stop)), daemon=True).start()
    threading.Thread(target=_watch_parent, args=(ending,), daemon=True).start()
    status = program.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)  # what it started in its own session and left behind
    return status if status >= 0 else 128 - status


class _Ending:
    """Asks the program to stop, once, and insists after the grace."""

    def __init__(self, program: "subprocess.Popen[bytes]", stop: int, grace: float) -> None:
        self._program, self._stop, self._grace = program, stop, grace
        self._begun = threading.Lock()

    def begin(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Also a signal handler, hence the two arguments."""
        if not self._begun.acquire(blocking=False):
            return
        self._program.send_signal(self._stop)
        timer = threading.Timer(self._grace, self._program.kill)
        timer.daemon = True
        timer.start()


def _watch_parent(ending: _Ending) -> None:
    while os.read(0, 64):
        pass
    ending.begin()


def _enter_user_namespace() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if library.unshare(CLONE_NEWUSER) != 0:
        sys.stderr.write(f"no user namespace: {os.strerror(ctypes.get_errno())}\n")
        sys.exit(NO_NAMESPACE)
    # setgroups must be denied before the kernel takes a gid map (user_namespaces(7)).
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def _recorded(path: Path, program: int, stop: int) -> bool:
    """Write the record; False where the disk does not take it now, which is no reason to end what runs."""
    try:
        _write_record(path, program, stop)
    except OSError:
        return False
    return True


def _record_later(path: Path, program: int, stop: int) -> None:
    while not _recorded(path, program, stop):
        time.sleep(_RECORD_AGAIN_S)


def _write_record(path: Path, program: int, stop: int) -> None:
    identify = _beside("identity").identify
    known = {"guard": identify(os.getpid()), "program": identify(program)}
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({**{role: who.row for role, who in known.items() if who}, "stop": stop}))
    draft.replace(path)


def _beside(name: str) -> ModuleType:
    """The module `name` of this file's own folder, which is on no search path here."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
