"""A hostile server beside the platform, as a process of the same machine: what it does not get at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from control.processes.confine import Confinement
from control.processes.isolation import what_is_shown

ROOT = Path(__file__).parents[2]
ATTEMPTS = (sys.executable, "-m", "tests.control.hostile_attempts")
SOMEBODY = 1_950_000_000
"""Whoever runs the platform where that is not root; nobody else has this number."""


def as_somebody(folder: Path) -> list[str]:
    """The command as a user that is not root; where the tests are root, another one, who sees what it needs."""
    if os.geteuid() != 0:
        return [*ATTEMPTS, str(folder)]
    at = folder.parent / "at"
    at.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)
    shown = (*what_is_shown(tuple(str(ROOT / name) for name in ("control", "core", "tests"))),)
    seen = Confinement(home=str(folder), user=SOMEBODY, own_root=True, at=str(at), shown=shown)
    return list(seen.command([*ATTEMPTS, str(folder)]))


@pytest.fixture(scope="module", params=["root", "somebody"])
def found(request, tmp_path_factory):
    """What came of each attempt, beside a platform that is root's, and beside one that is not."""
    if request.param == "root" and os.geteuid() != 0:
        return pytest.skip("only root can give a server a user of its own")
    folder = tmp_path_factory.mktemp("state") / "state"
    folder.mkdir(mode=0o700)
    command = [*ATTEMPTS, str(folder)] if request.param == "root" else as_somebody(folder)
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=150, check=False, env=dict(os.environ, PYTHONPATH=path)
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"platform": request.param}


def test_it_is_kept_apart_as_is_said(found):
    assert found["isolation"] == {"root": "user", "somebody": "namespace"}[found["platform"]]


@pytest.mark.parametrize(
    "attempt",
    [
        "reads the state folder",
        "lists the state folder",
        "reads another server's folder",
        "reads another server's log",
    ],
)
def test_it_cannot_read_the_state_folder(found, attempt):
    assert found[attempt] in {"FileNotFoundError", "PermissionError", "False"}


@pytest.mark.parametrize("attempt", ["takes the gateway's port", "takes it for all"])
def test_it_cannot_take_the_gateways_port(found, attempt):
    assert found[attempt] == "OSError"


def test_it_cannot_read_what_another_server_was_told(found):
    assert found["reads environments of others"] == "False"


def test_it_cannot_outlive_its_installation_however_it_forks(found):
    assert found["ran before it was removed"] == 1
    assert found["runs after it was removed"] == 0
    assert found["present"]


def test_it_cannot_signal_or_trace_the_platform(found):
    assert found["signals the platform"] in {"ProcessLookupError", "PermissionError"}
    assert found["traces the platform"] == "-1"


def test_it_is_never_root(found):
    assert int(found["its user"]) > 0
    assert found["becomes root"] in {"PermissionError", "OSError"}  # the latter where there is no such user


def test_it_cannot_change_programs_or_uncover_what_is_hidden(found):
    assert found["writes where programs are"] in {"OSError", "PermissionError"}
    assert found["uncovers what is hidden"] == "False"


def test_it_has_limits(found):
    assert found["uses more memory than it may"] == "MemoryError"
    assert found["opens more files than it may"] == "OSError"


def test_it_is_told_nothing_of_the_platforms_environment(found):
    assert "ARCHWAY" not in found["sees"]
    assert "PYTHONPATH" not in found["sees"]


def test_it_may_write_to_its_own_folder_and_to_a_tmp_of_its_own(found):
    assert (found["writes its own folder"], found["writes to /tmp"]) == ("written", "written")
