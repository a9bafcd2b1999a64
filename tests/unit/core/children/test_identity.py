import json
import os
import subprocess
import sys

import pytest

from core.children.identity import Identity, end, from_row, identify, lives

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_living_process_is_recognised(sleeper):
    who = identify(sleeper.pid)

    assert who is not None
    assert lives(who)


def test_another_process_with_the_same_pid_is_not_taken_for_it(sleeper):
    who = identify(sleeper.pid)

    assert not lives(Identity(sleeper.pid, who.began + "0"))


def test_a_stranger_who_got_the_pid_is_left_in_peace(sleeper):
    end([Identity(sleeper.pid, "another boot/1")], grace=0.1)

    assert sleeper.poll() is None


def test_a_dead_process_that_nobody_has_reaped_does_not_live(sleeper):
    who = identify(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert identify(sleeper.pid) is None
    assert not lives(who)


def test_a_program_that_ignores_the_stop_signal_is_killed_after_the_grace():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        process.stdout.readline()

        end([identify(process.pid)], grace=0.2)

        assert process.wait(60) == -9


def test_an_identity_that_was_written_is_read(sleeper):
    who = identify(sleeper.pid)

    assert from_row(json.loads(json.dumps(who.row))) == who


@pytest.mark.parametrize("row", [None, 7, [1], ["1", "boot/1"], [1, 2], [1, "boot/1", 3], {"pid": 1}])
def test_what_is_no_row_of_two_names_nobody(row):
    assert from_row(row) is None
