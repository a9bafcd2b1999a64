from __future__ import annotations

import logging
import stat
from pathlib import Path
from unittest.mock import patch

import pytest

from core.keys import new_key, parse_key_ring
from proxy.caches import disk_copy
from proxy.caches.disk_copy import DiskCopy

RING = parse_key_ring("proxy", new_key())
VALUES = {"key": b"a sealed thing"}


def test_what_was_written_is_read_by_the_next_worker(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    DiskCopy(str(folder), RING).write("verdicts", VALUES)
    assert DiskCopy(str(folder), RING).read("verdicts") == VALUES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "verdicts").stat().st_mode) == 0o600
    assert b"sealed thing" not in (folder / "verdicts").read_bytes()
    assert [path.name for path in folder.iterdir()] == ["verdicts"]


def test_without_a_folder_nothing_is_kept() -> None:
    nowhere = DiskCopy("", RING)
    nowhere.write("verdicts", VALUES)
    assert (nowhere.kept, nowhere.read("verdicts")) == (False, {})


def test_nothing_is_found_where_nothing_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == {}
    assert caplog.records == []


def test_a_file_that_is_not_ours_or_of_another_kind_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    genuine = (tmp_path / "verdicts").read_bytes()
    (tmp_path / "connections").write_bytes(genuine)
    (tmp_path / "gateways").write_bytes(genuine[:-1] + b"x")
    with caplog.at_level(logging.ERROR):
        assert disk.read("connections") == disk.read("gateways") == {}
        assert DiskCopy(str(tmp_path), parse_key_ring("p", new_key())).read("verdicts") == {}
    assert len(caplog.records) == 3


def test_a_file_beyond_the_cap_is_not_read(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    with patch("proxy.caches.disk_copy.MAX_BYTES", 10):
        assert disk.read("verdicts") == {}


def test_a_disk_that_cannot_be_written_costs_only_the_copy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    with patch("proxy.caches.disk_copy.os.open", side_effect=OSError(28, "No space left")):
        disk.write("verdicts", {"key": b"newer"})
    assert "could not be written" in caplog.text
    assert disk.read("verdicts") == VALUES


def test_what_would_make_the_file_unreadable_is_left_out_and_the_first_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_copy, "MAX_BYTES", 2000)
    values = {f"key-{number}": b"x" * 500 for number in range(10)}
    copy = DiskCopy(str(tmp_path), RING)
    assert copy.write("gateways", values)
    assert list(copy.read("gateways")) == ["key-0", "key-1", "key-2"]


def test_a_folder_that_cannot_be_made_costs_the_copy_and_not_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    disk = DiskCopy(str(tmp_path / "file" / "cache"), RING)
    assert not disk.write("verdicts", VALUES)
    assert disk.read("verdicts") == {}
    assert "could not be written" in caplog.text
