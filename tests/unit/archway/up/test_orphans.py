import json
import subprocess

import pytest

from archway.up.orphans import end_all, end_program, recorded, recorded_workers
from archway.up.processes import identify, lives


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def row(pid):
    who = identify(pid)
    return [who.pid, who.began]


def test_a_recorded_orphan_is_ended_and_its_record_goes(tmp_path, sleeper):
    record = tmp_path / "redis.json"
    record.write_text(json.dumps({"program": row(sleeper.pid)}))

    end_program(record)

    assert sleeper.wait(5) == -15
    assert not record.exists()


def test_a_stranger_with_a_recorded_pid_is_left_alone(tmp_path, sleeper):
    record = tmp_path / "redis.json"
    record.write_text(json.dumps({"program": [sleeper.pid, "before the reboot"]}))

    end_program(record)

    assert lives(identify(sleeper.pid))


def test_workers_whose_supervisor_was_killed_are_found_in_the_ports_file(tmp_path, sleeper):
    ports = tmp_path / "proxy.ports.json"
    ports.write_text(json.dumps({"proxy": 1, "supervisor": [1, "gone"], "workers": [row(sleeper.pid)]}))

    assert end_all(tmp_path, ports) == ["proxy workers"]

    assert sleeper.wait(5) == -15


def test_a_broken_record_names_nobody(tmp_path):
    (tmp_path / "redis.json").write_text('{"program": 7, "guard": [1]}')

    assert recorded(tmp_path / "redis.json") == {}
    assert recorded_workers(tmp_path / "none.json") == []
