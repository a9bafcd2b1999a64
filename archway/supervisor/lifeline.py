"""Runs one of our own modules, ending with the process that started it, whatever ends that.

`python -m archway.supervisor.lifeline proxy.worker`: standard input is a pipe that the supervisor holds open and
never writes to. At its end this process asks itself to stop as SIGTERM would, and after a short grace it is gone.
A thread watches, so that even a stuck event loop cannot outlive its supervisor. Unlike core/children/guard.py it
needs no second process; it serves programs of ours only. Here, before anything of the module is imported, it is
decided whether compiled modules are taken (`core/compiled_form.py`); the module says in its log what came of it.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading
import time

from core import compiled_form

GRACE_S = 3.0


def main() -> None:
    """Watch, then become the module."""
    module = sys.argv[1]
    threading.Thread(target=_watch, daemon=True, name="lifeline").start()
    sys.argv = sys.argv[1:]
    compiled_form.take_if_wanted(os.environ, compiled_form.root())
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 64):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
