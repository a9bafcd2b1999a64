import json
import signal
import subprocess
import sys

import pytest

from core.children.identity import identify, lives
from core.children.orphans import end_program, recorded

SAYS_WHICH = (
    "import signal, sys, time\n"
    "for number in (2, 15): signal.signal(number, lambda number, _: sys.exit(number))\n"
    "print('ready', flush=True); time.sleep(60)"
)


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_recorded_orphan_is_ended_and_its_record_goes(tmp_path, sleeper):
    record = tmp_path / "redis.json"
    record.write_text(json.dumps({"program": identify(sleeper.pid).row}))

    end_program(record)

    assert sleeper.wait(60) == -15
    assert not record.exists()


@pytest.mark.parametrize(
    ("written", "got"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (0, signal.SIGTERM), ("2", signal.SIGTERM)],
)
def test_an_orphan_gets_the_stop_signal_of_its_record_and_sigterm_where_that_names_none(tmp_path, written, got):
    record = tmp_path / "postgres.json"
    with subprocess.Popen([sys.executable, "-c", SAYS_WHICH], stdout=subprocess.PIPE) as orphan:
        orphan.stdout.readline()
        record.write_text(json.dumps({"program": identify(orphan.pid).row, "stop": written}))

        end_program(record)

        assert orphan.wait(60) == got


def test_a_stranger_with_a_recorded_pid_is_left_alone(tmp_path, sleeper):
    record = tmp_path / "redis.json"
    record.write_text(json.dumps({"program": [sleeper.pid, "before the reboot"]}))

    end_program(record)

    assert lives(identify(sleeper.pid))


@pytest.mark.parametrize("content", [b'{"program": 7, "guard": [1]}', b"", b"{half", b"[1]", b"\xff"])
def test_a_broken_record_names_nobody(tmp_path, content):
    (tmp_path / "redis.json").write_bytes(content)

    assert recorded(tmp_path / "redis.json") == {}


def test_a_record_that_was_never_written_names_nobody(tmp_path):
    assert recorded(tmp_path / "none.json") == {}


def test_a_record_that_cannot_be_removed_stays(tmp_path, monkeypatch):
    record = tmp_path / "record.json"
    record.write_text("{}")

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(type(record), "unlink", refuse)
    end_program(record)
    assert record.exists()
