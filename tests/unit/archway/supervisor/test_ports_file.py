import json
import os
import subprocess

import pytest

from archway.supervisor.ports_file import recorded_workers, write_ports
from archway.supervisor.sockets import address, listen
from archway.supervisor.worker import Worker
from core.children.identity import identify


def test_what_a_supervisor_wrote_down_is_read_itself_first(tmp_path):
    with listen("X", "127.0.0.1", 0) as bound, subprocess.Popen(["sleep", "60"]) as process:
        write_ports(tmp_path / "ports.json", {"proxy": bound}, [Worker(1, process)])

        assert recorded_workers(tmp_path / "ports.json") == [identify(os.getpid()), identify(process.pid)]
        assert json.loads((tmp_path / "ports.json").read_text())["proxy"] == address(bound)[1]
        process.kill()


@pytest.mark.parametrize("content", ["", "{half", '{"supervisor": null, "workers": [[1], null, 7]}', "{}"])
def test_a_file_that_names_nobody_is_no_error(tmp_path, content):
    (tmp_path / "ports.json").write_text(content)

    assert recorded_workers(tmp_path / "ports.json") == []


def test_a_file_that_was_never_written_names_nobody(tmp_path):
    assert recorded_workers(tmp_path / "none.json") == []
