import os
import stat
from pathlib import Path

import pytest

from proxy.records import spool
from proxy.records.spool import Spool


def test_without_a_folder_there_is_no_room() -> None:
    made = Spool("")
    assert not made.has_room
    assert not made.put("w", 1, b"x")
    assert made.oldest() == []


def test_batches_come_back_oldest_first_and_go_when_they_were_sent(tmp_path: Path) -> None:
    made = Spool(str(tmp_path))
    for number, age in ((2, 200), (1, 300), (3, 100)):
        assert made.put("1-a.b", number, b"batch %d" % number)
        os.utime(tmp_path / "records" / f"1-a.b.{number:012d}.batch", (1000 - age, 1000 - age))

    assert made.oldest() == [("1-a.b", 1, b"batch 1"), ("1-a.b", 2, b"batch 2"), ("1-a.b", 3, b"batch 3")]
    for number in (1, 2, 3):
        made.remove("1-a.b", number)
    assert made.oldest() == []
    made.remove("1-a.b", 1)  # another worker was quicker


def test_the_next_worker_finds_what_a_dead_one_left(tmp_path: Path) -> None:
    Spool(str(tmp_path)).put("dead", 1, b"x")
    assert Spool(str(tmp_path)).oldest() == [("dead", 1, b"x")]


def test_the_spool_is_bounded_and_has_room_again_when_others_emptied_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MAX_BYTES", 10)
    made = Spool(str(tmp_path))
    assert made.put("w", 1, b"x" * 10)
    assert not made.put("w", 2, b"x")
    assert not made.has_room
    Spool(str(tmp_path)).remove("w", 1)

    assert made.oldest() == []

    assert made.has_room


def test_only_we_can_read_it(tmp_path: Path) -> None:
    Spool(str(tmp_path)).put("w", 1, b"x")
    (file,) = (tmp_path / "records").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written_is_no_place(tmp_path: Path) -> None:
    made = Spool(str(tmp_path))
    (tmp_path / "records").rmdir()
    assert not made.put("w", 1, b"x")


@pytest.mark.parametrize("name", ["a.batch", "stray.batch", "w.x.batch", ".1.batch", "w.1.batch.part", "w.-1.batch"])
def test_a_stray_file_is_left_alone(tmp_path: Path, name: str) -> None:
    made = Spool(str(tmp_path))
    (tmp_path / "records" / name).write_bytes(b"not ours")
    made.put("w", 1, b"x")
    assert made.oldest() == [("w", 1, b"x")]
    assert Spool(str(tmp_path)).oldest() == [("w", 1, b"x")]


def test_a_batch_that_cannot_be_read_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Spool(str(tmp_path))
    made.put("broken", 1, b"x")
    made.put("w", 1, b"x")
    whole = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name.startswith("broken"):
            raise OSError(5, "Input/output error")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert made.oldest() == [("w", 1, b"x")]


def test_a_batch_that_the_disk_does_not_let_go_of_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that has turned read-only: the batches after it must have their turn."""
    made = Spool(str(tmp_path))
    made.put("stuck", 1, b"x")
    made.put("w", 1, b"y")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    made.remove("stuck", 1)
    assert made.oldest() == [("w", 1, b"y")]


def test_a_folder_that_cannot_be_made_costs_the_spool_and_not_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    made = Spool(str(tmp_path / "file"))
    assert not made.put("w", 1, b"x")
    assert made.oldest() == []
    assert "the spool cannot be written" in caplog.text
