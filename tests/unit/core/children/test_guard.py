import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.children import guard
from core.children.identity import Identity, end, identify, lives

HANDLES = "import pathlib, signal, sys, time; signal.signal({}); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
POLITE = HANDLES.format("signal.SIGINT, lambda *_: sys.exit(0)")
STUBBORN = HANDLES.format("signal.SIGTERM, signal.SIG_IGN")


def start(tmp_path, *command, stop=signal.SIGTERM, run_as="-", grace=5.0):
    record = tmp_path / "program.json"
    line = guard.guarded(command, stop=stop, run_as=run_as, grace_s=grace, record=record)
    return subprocess.Popen(line, stdin=subprocess.PIPE), record


def until_there(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"nobody wrote {path.name}"
        time.sleep(0.01)


def program_of(record: Path) -> Identity:
    until_there(record)
    return Identity(*json.loads(record.read_text())["program"])


def gone(identity: Identity, within: float = 30) -> bool:
    deadline = time.monotonic() + within
    while lives(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_end_of_the_parents_pipe_ends_the_program(tmp_path):
    with start(tmp_path, "sleep", "60")[0] as process:
        program = program_of(tmp_path / "program.json")

        process.stdin.close()

        assert gone(program)


def test_a_killed_parent_ends_the_program(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
        "print('up', flush=True); time.sleep(60)"
    )
    record = tmp_path / "program.json"
    line = guard.guarded(["sleep", "60"], grace_s=5, record=record)
    with subprocess.Popen([sys.executable, "-c", code, *line], stdout=subprocess.PIPE) as parent:
        program = program_of(record)
        assert lives(program)

        parent.kill()

        assert gone(program)


def test_the_program_gets_the_stop_signal_that_was_asked_for(tmp_path):
    handles = tmp_path / "handles"
    with start(tmp_path, sys.executable, "-c", POLITE, str(handles), stop=signal.SIGINT)[0] as process:
        until_there(handles)

        process.stdin.close()

        assert process.wait(60) == 0


def test_the_record_says_how_the_program_is_stopped(tmp_path):
    with start(tmp_path, "sleep", "60", stop=signal.SIGINT)[0] as process:
        program_of(tmp_path / "program.json")

        assert json.loads((tmp_path / "program.json").read_text())["stop"] == signal.SIGINT
        process.stdin.close()


def test_a_program_that_will_not_stop_is_killed_after_the_grace(tmp_path):
    handles = tmp_path / "handles"
    with start(tmp_path, sys.executable, "-c", STUBBORN, str(handles), grace=0.2)[0] as process:
        program = program_of(tmp_path / "program.json")
        until_there(handles)

        process.stdin.close()

        assert gone(program)


def test_the_guard_ends_as_its_program_did(tmp_path):
    with start(tmp_path, "sh", "-c", "exit 7")[0] as process:
        assert process.wait(60) == 7


def test_what_the_program_left_in_its_group_is_ended_with_it(tmp_path):
    child = tmp_path / "child.pid"
    with start(tmp_path, "sh", "-c", f"sleep 60 & echo $! > {child}; exit 0")[0] as process:
        process.wait(60)

        who = identify(int(child.read_text()))

        assert who is None or gone(who)


def test_a_namespace_makes_a_program_nobody_without_giving_up_its_files_or_says_that_there_is_none(tmp_path):
    seen = tmp_path / "seen"
    process, _ = start(tmp_path, "sh", "-c", f"id -u > {seen}", run_as="userns")
    with process:
        status = process.wait(60)

    if status != guard.NO_NAMESPACE:
        assert seen.read_text().strip() == str(guard.NOBODY)
        assert seen.stat().st_uid == os.geteuid()


def test_a_stranger_is_not_ended_by_an_old_record():
    with subprocess.Popen(["sleep", "60"]) as stranger:
        end([Identity(stranger.pid, "long ago")], grace=0.1)

        assert stranger.poll() is None
        stranger.kill()


def test_a_record_that_cannot_be_written_is_written_later_and_the_program_runs_on(tmp_path):
    line = guard.guarded(["sleep", "60"], grace_s=5, record=tmp_path / "later" / "program.json")
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        time.sleep(1.5)
        assert process.poll() is None
        (tmp_path / "later").mkdir()
        program = program_of(tmp_path / "later" / "program.json")
        assert lives(program)

        process.stdin.close()

        assert gone(program)


def test_the_end_of_the_parents_pipe_ends_a_program_without_a_record(tmp_path):
    told = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    line = guard.guarded([sys.executable, "-c", code, str(told)], grace_s=5, record=tmp_path / "no" / "record.json")
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        until_there(told)
        program = identify(int(told.read_text() or 0)) if told.read_text() else None
        process.stdin.close()
        assert process.wait(30) is not None
    assert program is None or gone(program)
