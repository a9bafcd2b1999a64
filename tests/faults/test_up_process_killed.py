"""What happens when any one of the processes of `archway up` is killed: it comes back, and calls work again."""

import os
import signal

import pytest

from core.children.orphans import recorded
from tests.up.conftest import until


@pytest.mark.parametrize("name", ["redis", "demo", "postgres", "control", "proxy", "worker"])
def test_a_killed_process_comes_back_and_calls_work_again(running, name):
    old = _pid(running, name)

    os.kill(old, signal.SIGKILL)

    until(lambda: _pid(running, name) not in {None, old})
    until(running.works)


@pytest.mark.parametrize("name", ["redis", "demo", "postgres", "control", "proxy"])
def test_a_killed_guard_leaves_no_orphan_and_its_program_comes_back(running, name):
    old = _pid(running, name)
    guard = recorded(running.state / "run" / f"{name}.json")["guard"]

    os.kill(guard.pid, signal.SIGKILL)

    until(lambda: _pid(running, name) not in {None, old})
    until(lambda: old not in running.processes())
    until(running.works)


def _pid(running, name):
    pids = running.file["pids"]
    if name == "worker":
        return pids["proxy"][1] if len(pids["proxy"]) > 1 else None
    value = pids[name]
    return (value[0] if value else None) if isinstance(value, list) else value
