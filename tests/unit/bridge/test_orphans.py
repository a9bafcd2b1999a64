import os
import signal
import subprocess
import sys
from pathlib import Path

from bridge.orphans import signal_group

PRELUDE = """
import ctypes, os, subprocess, sys, time
from bridge.orphans import end_descendants, reaped, take_in_orphans
take_in_orphans()
"""
ORPHAN = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nprint(os.getpid(), flush=True)\ntime.sleep(600)"


def said(program):
    """What a program says that takes orphans in."""
    command = [sys.executable, "-c", PRELUDE + program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def test_nobody_of_the_same_user_reads_its_environment():
    assert said("print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))") == ["0"]  # PR_GET_DUMPABLE


def test_an_orphan_in_a_session_of_its_own_is_ended_and_reaped():
    program = f"""
child = subprocess.Popen([sys.executable, "-c", {ORPHAN!r}], stdout=subprocess.PIPE, text=True)
orphan = int(child.stdout.readline())
child.wait()
end_descendants()
found = []
while not found:
    found = list(reaped())
print(found == [(orphan, -9)], os.path.exists(f"/proc/{{orphan}}"))
"""
    assert said(program) == ["True", "False"]


def test_who_has_no_children_reaps_nothing():
    assert said("print(list(reaped()))") == ["[]"]


def test_a_group_that_is_gone_gets_no_signal():
    with subprocess.Popen(["true"], start_new_session=True) as process:
        pid = process.pid
    signal_group(pid, signal.SIGTERM)

    assert Path(f"/proc/{os.getpid()}").exists()
