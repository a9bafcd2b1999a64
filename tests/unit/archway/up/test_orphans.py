import json
import subprocess

import pytest

from archway.up.orphans import end_all
from core.children.identity import identify


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_workers_whose_supervisor_was_killed_are_found_in_the_ports_file(tmp_path, sleeper):
    ports = tmp_path / "proxy.ports.json"
    ports.write_text(json.dumps({"proxy": 1, "supervisor": [1, "gone"], "workers": [identify(sleeper.pid).row]}))

    assert end_all([tmp_path], ports) == ["proxy workers"]

    assert sleeper.wait(60) == -15


def test_every_program_that_still_lives_is_ended_and_named(tmp_path, sleeper):
    (tmp_path / "servers").mkdir()
    (tmp_path / "servers" / "one.json").write_text(json.dumps({"program": identify(sleeper.pid).row}))
    (tmp_path / "redis.json").write_text(json.dumps({"program": [sleeper.pid, "before the reboot"]}))

    assert end_all([tmp_path, tmp_path / "servers"], tmp_path / "proxy.ports.json") == ["one"]

    assert sleeper.wait(60) == -15
    assert [one.name for one in tmp_path.rglob("*")] == ["servers"]
