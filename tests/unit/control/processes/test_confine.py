import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from control.processes.confine import NO_SUCH_PROGRAM, REFUSED, Confinement

FORKS = (
    "import os, pathlib, subprocess, sys\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    left = subprocess.Popen(['sleep', '600'])\n"
    "    pathlib.Path('left').write_text(str(left.pid)); os._exit(0)\n"
    "os.wait()\n"
)


def run(plan, *command, **given):
    return subprocess.run(plan.command(command), capture_output=True, text=True, timeout=60, check=False, **given)


def runs(pid):
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


@pytest.fixture
def plan(tmp_path):
    return Confinement(home=str(tmp_path))


def test_the_status_of_the_program_is_passed_on(plan):
    assert run(plan, "sh", "-c", "exit 7").returncode == 7
    assert run(plan, "sh", "-c", "kill -9 $$").returncode == 137


def test_a_program_that_is_not_there_is_named(plan):
    done = run(plan, "no-such-server")
    assert (done.returncode, done.stderr) == (127, f"{NO_SUCH_PROGRAM}: no-such-server: No such file or directory\n")


def test_a_confinement_that_is_refused_is_told(tmp_path):
    done = run(Confinement(home=str(tmp_path / "not-there")), "true")
    assert done.returncode == REFUSED
    assert done.stderr.startswith("cannot be confined: No such file or directory")


def test_it_begins_in_its_home_with_its_limits_and_files_for_itself(tmp_path):
    plan = Confinement(home=str(tmp_path), limits={"NOFILE": 77, "CORE": 0})
    done = run(plan, "sh", "-c", "touch it; pwd; ulimit -n; ulimit -c")
    assert done.stdout.split() == [str(tmp_path), "77", "0"]
    assert (tmp_path / "it").stat().st_mode & 0o777 == 0o600


def test_what_it_left_behind_in_another_session_ends_with_it(plan, tmp_path):
    assert run(plan, sys.executable, "-c", FORKS).returncode == 0
    assert not runs(int((tmp_path / "left").read_text()))


def test_one_that_does_not_stop_is_killed_after_its_grace_with_all_that_it_left(tmp_path):
    plan = Confinement(home=str(tmp_path), grace_s=1)
    stays = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{FORKS}\nprint('up', flush=True)\n"
    stays += "signal.pause()"
    with subprocess.Popen(plan.command([sys.executable, "-c", stays]), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 137
    assert not runs(int((tmp_path / "left").read_text()))


def test_one_whose_keeper_is_killed_dies_with_it(plan, tmp_path):
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); print('up', flush=True); time.sleep(600)"
    with subprocess.Popen(plan.command([sys.executable, "-c", code]), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        process.kill()
        process.wait(60)
    deadline = time.monotonic() + 30
    while runs(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_gains_no_rights_by_programs_that_give_some(plan):
    assert "NoNewPrivs:\t1" in run(plan, "cat", "/proc/self/status").stdout


@pytest.fixture
def alone(tmp_path):
    """A view of the machine in which there is little but /usr."""
    home, at = tmp_path / "home", tmp_path / "at"
    home.mkdir()
    at.mkdir()
    shown = ("/usr", "/bin", "/lib", "/lib64", "/etc")
    return Confinement(home=str(home), own_root=True, at=str(at), shown=shown, hidden=("/usr/share",))


def test_a_root_of_its_own_shows_what_is_named_and_nothing_else(alone, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "home" / "own").write_text("own")
    done = run(alone, "sh", "-c", f"ls /; ls /usr/share; cat own; cat {tmp_path}/secret")
    assert set(done.stdout.split()) == {"bin", "dev", "etc", "lib", "lib64", "proc", "tmp", "usr", "own"} - (
        set() if os.path.lexists("/lib64") else {"lib64"}
    )
    assert "No such file" in done.stderr


def test_in_a_root_of_its_own_only_its_home_and_tmp_can_be_written(alone):
    done = run(
        alone, "sh", "-c", "for it in /usr/it /etc/it /it /dev/it ./it /tmp/it; do touch $it && echo $it; done"
    )
    assert done.stdout.split() == ["./it", "/tmp/it"]


def test_in_a_root_of_its_own_it_sees_its_own_processes_alone(alone):
    done = run(alone, "sh", "-c", "echo /proc/[0-9]*; kill -0 -1 2>&1; echo $$")
    assert done.stdout.splitlines()[0] == "/proc/1 /proc/2"
    assert done.stdout.split()[-1] == "2"
