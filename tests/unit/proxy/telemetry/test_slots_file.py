import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.telemetry import slots_file
from proxy.telemetry.slots_file import Entry, SlotsFile, clear, read


def test_a_reader_sees_each_name_with_its_numbers(tmp_path: Path) -> None:
    file = SlotsFile(str(tmp_path / "f"))
    one, three = file.append("c", "one"), file.append("h", "three", 3)
    file.values[one] = 1.5
    file.values[three + 2] = 7

    assert read(tmp_path / "f") == [
        (Entry("c", "one", 0, 1), (1.5,)),
        (Entry("h", "three", 1, 3), (0.0, 0.0, 7.0)),
    ]


def test_the_next_worker_goes_on_where_the_one_before_left(tmp_path: Path) -> None:
    before = SlotsFile(str(tmp_path / "f"))
    before.values[before.append("c", "a")] = 3
    after = SlotsFile(str(tmp_path / "f"))
    after.values[after.entries[0].first] += 1
    after.append("c", "b")

    held = read(tmp_path / "f")

    assert held is not None
    assert [(entry.name, numbers) for entry, numbers in held] == [("a", (4.0,)), ("b", (0.0,))]


@pytest.mark.parametrize("cut", range(22))
def test_a_name_that_is_half_written_is_never_seen(tmp_path: Path, cut: int) -> None:
    """The writer dies, or is read, after `cut` bytes of the second name, with the mark already moved: worse than is
    ever written."""
    path = tmp_path / "f"
    file = SlotsFile(str(path))
    file.append("c", "first")
    begin = file._mark[0]
    file.append("c", "a second name")
    end = file._mark[0]
    assert end - begin > cut
    file._names[begin + cut : end] = bytes(end - begin - cut)

    held = read(path)

    assert held is not None
    assert [entry.name for entry, _ in held] == ["first"]
    again = SlotsFile(str(path))
    again.append("c", "third")
    held = read(path)
    assert held is not None
    assert [entry.name for entry, _ in held] == ["first", "third"]


def test_names_beyond_the_mark_do_not_count(tmp_path: Path) -> None:
    file = SlotsFile(str(tmp_path / "f"))
    file.append("c", "first")
    mark = file._mark[0]
    file.append("c", "second")
    file._mark[0] = mark

    held = read(tmp_path / "f")

    assert held is not None
    assert [entry.name for entry, _ in held] == ["first"]


@pytest.mark.parametrize(
    "content", [b"", b"12345678", b"counted", b"archslt1" + b"\xff" * 56, b"\x00" * slots_file.SIZE]
)
def test_what_is_no_such_file_is_left_out_and_made_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    assert read(path) is None
    clear(path, "g")
    assert path.read_bytes() == content

    SlotsFile(str(path)).append("c", "a")

    held = read(path)
    assert held is not None
    assert [entry.name for entry, _ in held] == ["a"]


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "absent") is None
    clear(tmp_path / "absent", "g")
    assert not (tmp_path / "absent").exists()


def test_a_full_file_refuses_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = SlotsFile(str(tmp_path / "f"))
    file.append("c", "big", slots_file.CAPACITY)
    with pytest.raises(OverflowError):
        file.append("c", "one more")
    assert not file.has_room("one more", 1)
    held = read(tmp_path / "f")
    assert held is not None
    assert [entry.name for entry, _ in held] == ["big"]


def test_room_for_names_is_bounded_too() -> None:
    file = SlotsFile()
    assert not file.has_room("x" * slots_file.NAME_BYTES, 1)
    assert not file.has_room("x", 1, 0, slots_file.NAME_BYTES)
    assert file.has_room("x", 1)


def test_all_of_a_file_is_there_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "f"
    SlotsFile(str(path))
    assert path.stat().st_blocks * 512 >= path.stat().st_size == slots_file.SIZE
    assert path.stat().st_mode & 0o777 == 0o600


def test_on_a_full_disk_a_worker_counts_in_its_own_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    path = tmp_path / "f"
    file = SlotsFile(str(path))
    file.values[file.append("c", "a")] = 1
    assert path.stat().st_size == 0
    assert read(path) is None
    assert [line.message for line in caplog.records] == ["this worker's counts are not told"]


def test_only_the_kinds_that_are_named_are_cleared(tmp_path: Path) -> None:
    file = SlotsFile(str(tmp_path / "f"))
    for kind in "cgo":
        file.values[file.append(kind, kind)] = 5
    clear(tmp_path / "f", "go")
    held = read(tmp_path / "f")
    assert held is not None
    assert [numbers for _, numbers in held] == [(5.0,), (0.0,), (0.0,)]


WRITER = """
import sys
from proxy.telemetry.slots_file import SlotsFile
file = SlotsFile(sys.argv[1])
print("begun", flush=True)
for number in range(8000):
    file.values[file.append("c", f"name {number} " + "x" * (number % 300))] = number
"""


def test_a_reader_in_another_process_sees_whole_names_and_only_those_while_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"begun\n"
        seen, looks = 0, 0
        while seen < 8000:
            held = read(path)
            assert held is not None
            for number, (entry, (value,)) in enumerate(held):
                assert entry.name == f"name {number} " + "x" * (number % 300)
                assert value in {0.0, float(number)}
            assert len(held) >= seen
            seen, looks = len(held), looks + 1
            assert looks < 100_000
    assert writer.returncode == 0


@pytest.mark.parametrize("where", ["gone/counts", "file/counts", ""])
def test_where_no_file_can_be_made_a_worker_counts_in_its_own_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    counts = SlotsFile(str(tmp_path / where))
    counts.values[counts.append("c", "calls")] += 1
    assert "are not told" in caplog.text
