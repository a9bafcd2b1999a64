"""`archway up` when its disk takes nothing any more: whatever it wanted to write, it goes on, and so do calls.

A full disk is a limit on the size of the files of the processes that keep the others: `archway up` itself, the guards
beside its programs, and the supervisor of the workers. What they start then inherits it.
"""

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.up.conftest import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")


def full(*pids):
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def empty(*pids):
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def keeper(running):
    """The pid of `archway up`."""
    return int(running.lock["pid"])


def test_a_worker_that_dies_then_is_replaced_and_neither_supervisor_ends(running):
    up, supervisor = keeper(running), running.file["pids"]["proxy"][0]
    victim = running.file["pids"]["proxy"][1]
    full(up, supervisor)

    os.kill(victim, signal.SIGKILL)

    until(lambda: not alive(victim))
    until(running.works)
    assert alive(up)
    assert alive(supervisor)
    empty(up, supervisor)
    until(lambda: victim not in running.file["pids"]["proxy"] and len(running.file["pids"]["proxy"]) == 2)
    assert running.file["pids"]["proxy"][0] == supervisor


@pytest.mark.parametrize("name", ["demo", "control"])
def test_a_program_that_dies_then_comes_back(running, name):
    up, old = keeper(running), pid_of(running, name)
    full(up)
    try:
        os.kill(old, signal.SIGKILL)
        until(lambda: not alive(old))
        until(running.works)
    finally:
        empty(up)
    assert alive(up)
    for pid in running.processes():
        empty(pid)  # what was started meanwhile
    until(lambda: pid_of(running, name) not in {None, old})


def test_a_run_folder_that_was_removed_ends_nothing(running):
    up, proxy = keeper(running), running.file["pids"]["proxy"]
    moved = running.state / "run-moved"
    (running.state / "run").rename(moved)

    os.kill(proxy[1], signal.SIGKILL)

    until(lambda: not alive(proxy[1]))
    until(running.works)
    assert alive(up)
    assert alive(proxy[0])
    moved.rename(running.state / "run")
    until(lambda: proxy[1] not in running.file["pids"]["proxy"] and len(running.file["pids"]["proxy"]) == 2)


def test_it_can_still_be_ended_in_order(running):
    up = keeper(running)
    full(up)
    running.down()
    assert not alive(up)
    shutil.rmtree(running.state / "logs")
    running.up()
    until(running.works)


def pid_of(running, name):
    value = running.file["pids"][name]
    return (value[0] if value else None) if isinstance(value, list) else value


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
