import asyncio
import errno
import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from archway.supervisor import ports_file
from archway.supervisor.ports_file import PortsFile, recorded_workers, write_ports
from archway.supervisor.sockets import address, listen
from archway.supervisor.worker import Worker
from core.children.identity import identify
from core.tasks import Tasks


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EFBIG, errno.EDQUOT, errno.EIO])
async def test_a_disk_that_takes_nothing_costs_only_the_file_which_is_written_later(
    tmp_path, monkeypatch, caplog, number
):
    path, taken = tmp_path / "ports.json", []

    def written(where, sockets, workers):
        if not taken:
            raise OSError(number, os.strerror(number))
        write_ports(where, sockets, workers)

    monkeypatch.setattr(ports_file, "write_ports", written)
    monkeypatch.setattr(ports_file, "RETRY_S", 0.001)
    with listen("X", "127.0.0.1", 0) as bound:
        file = PortsFile(path, {"proxy": bound})
        for _ in range(3):
            file.changed(SimpleNamespace(workers=[]))
        tasks = Tasks("test")
        keeping = tasks.spawn("keep", file.keep_trying())
        await asyncio.sleep(0.01)
        assert [record.getMessage() for record in caplog.records] == ["the ports file cannot be written"]
        taken.append(True)
        async with asyncio.timeout(30):
            while not path.exists():  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0.001)
        assert not keeping.done()
        await tasks.close()

    assert recorded_workers(path) == [identify(os.getpid())]


def test_a_folder_that_was_removed_costs_only_the_file(tmp_path, caplog):
    with listen("X", "127.0.0.1", 0) as bound:
        PortsFile(tmp_path / "gone" / "ports.json", {"proxy": bound}).changed(SimpleNamespace(workers=[]))
    assert "cannot be written" in caplog.text


def test_without_a_path_and_after_the_end_nothing_is_written(tmp_path):
    bound = listen("X", "127.0.0.1", 0)
    PortsFile(None, {"proxy": bound}).changed(SimpleNamespace(workers=[]))
    bound.close()
    PortsFile(tmp_path / "ports.json", {"proxy": bound}).changed(SimpleNamespace(workers=[]))
    assert list(tmp_path.iterdir()) == []
