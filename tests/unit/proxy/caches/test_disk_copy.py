from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest

from core.keys import new_key, parse_key_ring
from proxy.caches import disk_copy
from proxy.caches.disk_copy import DiskCopy, Kept, newest

PROXY_KEY = new_key()
RING = parse_key_ring("proxy", PROXY_KEY)
VALUES = {"key": Kept(1.0, b"a sealed thing")}


def kept(*keys: str, asked: float = 1.0) -> dict[str, Kept]:
    return {key: Kept(asked, key.encode()) for key in keys}


def files(folder: Path, name: str = "verdicts") -> list[Path]:
    return sorted(folder.glob(f"{name}.*"))


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_what_was_written_is_read_by_the_next_worker(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    DiskCopy(str(folder), RING).write("verdicts", VALUES)
    assert DiskCopy(str(folder), RING).read("verdicts") == VALUES
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"sealed thing" not in file.read_bytes()


def test_without_a_folder_nothing_is_kept() -> None:
    nowhere = DiskCopy("", RING)
    nowhere.write("verdicts", VALUES)
    assert (nowhere.kept, nowhere.read("verdicts")) == (False, {})


def test_nothing_is_found_where_nothing_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == {}
    assert caplog.records == []


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_what_each_of_some_workers_knew_is_read_by_any_number_of_later_ones(tmp_path: Path, workers: int) -> None:
    before = [DiskCopy(str(tmp_path), RING) for _ in range(workers)]
    for number, one in enumerate(before):
        assert one.write("verdicts", kept(f"caller-{number}"))
        one.close()
    everybody = kept(*(f"caller-{number}" for number in range(workers)))
    assert [DiskCopy(str(tmp_path), RING).read("verdicts") for _ in range(3)] == [everybody] * 3


def test_of_what_several_knew_the_newest_is_taken_whoever_wrote_last(tmp_path: Path) -> None:
    newer, older = DiskCopy(str(tmp_path), RING), DiskCopy(str(tmp_path), RING)
    newer.write("verdicts", {"key": Kept(20.0, b"newer")})
    older.write("verdicts", {"key": Kept(10.0, b"older")})
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == {"key": Kept(20.0, b"newer")}


def test_the_files_of_workers_that_ended_go_once_another_has_written_what_was_in_them(tmp_path: Path) -> None:
    ended = [DiskCopy(str(tmp_path), RING) for _ in range(3)]
    for number, one in enumerate(ended):
        one.write("verdicts", kept(f"caller-{number}"))
        one.close()
    heir = DiskCopy(str(tmp_path), RING)
    found = heir.read("verdicts")
    assert len(files(tmp_path)) == 3, "nothing is removed before it stands elsewhere"
    assert heir.write("verdicts", found)
    assert len(files(tmp_path)) == 1
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == found


def test_the_file_of_a_worker_that_lives_stays_and_so_does_what_it_writes_later(tmp_path: Path) -> None:
    living, newcomer = DiskCopy(str(tmp_path), RING), DiskCopy(str(tmp_path), RING)
    living.write("verdicts", kept("a"))
    newcomer.write("verdicts", newcomer.read("verdicts"))
    living.write("verdicts", kept("a", "b"))
    newcomer.write("verdicts", newcomer.read("verdicts"))
    assert len(files(tmp_path)) == 2
    assert set(DiskCopy(str(tmp_path), RING).read("verdicts")) == {"a", "b"}


def test_a_disk_that_is_full_removes_no_file_of_a_worker_that_ended(tmp_path: Path) -> None:
    ended = DiskCopy(str(tmp_path), RING)
    ended.write("verdicts", VALUES)
    ended.close()
    heir = DiskCopy(str(tmp_path), RING)
    found = heir.read("verdicts")
    with patch("proxy.caches.disk_copy.os.open", side_effect=OSError(28, "No space left")):
        assert not heir.write("verdicts", found)
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == VALUES


def test_a_worker_that_is_killed_loses_neither_its_part_nor_the_lock_to_others(tmp_path: Path) -> None:
    program = (
        "import sys, time; from core.keys import parse_key_ring; from proxy.caches.disk_copy import DiskCopy, Kept;"
        f"DiskCopy({str(tmp_path)!r}, parse_key_ring('p', sys.stdin.readline())).write('verdicts', "
        "{'key': Kept(1.0, b'a sealed thing')}); print('written', flush=True); time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(PROXY_KEY.encode() + b"\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == b"written\n"
        heir = DiskCopy(str(tmp_path), RING)
        assert heir.write("verdicts", heir.read("verdicts"))
        assert len(files(tmp_path)) == 2, "it lives"
    finally:
        worker.send_signal(signal.SIGKILL)
        _ = worker.communicate()
    assert heir.write("verdicts", heir.read("verdicts"))
    assert len(files(tmp_path)) == 1
    assert DiskCopy(str(tmp_path), RING).read("verdicts") == VALUES


@pytest.mark.parametrize("damage", [b"", b"x", b"garbage" * 1000, None])
def test_a_damaged_file_costs_what_only_it_held_and_stays_until_it_is_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    for key in ("a", "b", "c"):
        one = DiskCopy(str(tmp_path), RING)
        one.write("verdicts", kept(key))
        one.close()
    victim = files(tmp_path)[1]
    lost = DiskCopy(str(tmp_path), RING)._opened("verdicts", victim)
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    heir = DiskCopy(str(tmp_path), RING)
    with caplog.at_level(logging.ERROR):
        found = heir.read("verdicts")
    assert set(found) == {"a", "b", "c"} - set(lost)
    assert victim.name in caplog.records[0].file  # type: ignore[attr-defined]
    assert heir.write("verdicts", found)
    assert victim.exists(), "with the right key it may be good"
    os.utime(victim, (1.0, 1.0))
    assert set(DiskCopy(str(tmp_path), RING).read("verdicts")) == set(found)
    assert not victim.exists()


def test_a_file_of_another_kind_or_another_deployment_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    (file,) = files(tmp_path)
    (tmp_path / "connections.0123abcd").write_bytes(file.read_bytes())
    with caplog.at_level(logging.ERROR):
        assert disk.read("connections") == {}
        assert DiskCopy(str(tmp_path), parse_key_ring("p", new_key())).read("verdicts") == {}
    assert len(caplog.records) == 2


def test_what_lies_there_under_other_names_is_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("records", "verdicts.txt", "verdicts.0123abcd.old", "myverdicts.0123abcd")]
    for other in others:
        other.write_bytes(b"somebody's")
        os.utime(other, (1.0, 1.0))
    disk = DiskCopy(str(tmp_path), RING)
    assert disk.read("verdicts") == {}
    disk.write("verdicts", VALUES)
    assert all(other.read_bytes() == b"somebody's" for other in others)


def test_what_was_never_finished_and_what_is_past_every_age_is_removed_in_time(tmp_path: Path) -> None:
    old = [tmp_path / name for name in ("verdicts", "verdicts.0123abcd", "verdicts.0123abcd.part")]
    young = tmp_path / "verdicts.89abcdef.part"
    for path in (*old, young):
        path.write_bytes(b"half a file")
    for path in old:
        os.utime(path, (time.time() - 101, time.time() - 101))
    assert DiskCopy(str(tmp_path), RING, max_age=100).read("verdicts") == {}
    assert [path.name for path in files(tmp_path)] == [young.name]


def test_a_file_beyond_the_cap_is_not_read(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    with patch("proxy.caches.disk_copy.MAX_BYTES", 10):
        assert disk.read("verdicts") == {}


@pytest.mark.parametrize("cap", ["MOST_FILES", "MAX_BYTES"])
def test_of_more_files_than_a_start_reads_the_newest_are_read(tmp_path: Path, cap: str) -> None:
    for number in range(4):
        one = DiskCopy(str(tmp_path), RING)
        one.write("verdicts", kept(f"caller-{number}"))
        one.close()
        os.utime(tmp_path / f"verdicts.{one._me}", (time.time() - 100 + number, time.time() - 100 + number))
    size = files(tmp_path)[0].stat().st_size
    with patch(f"proxy.caches.disk_copy.{cap}", 2 if cap == "MOST_FILES" else 2 * size + 1):
        assert set(DiskCopy(str(tmp_path), RING).read("verdicts")) == {"caller-2", "caller-3"}


def test_a_file_that_another_takes_over_while_we_look_is_found_where_it_went(tmp_path: Path) -> None:
    ended = DiskCopy(str(tmp_path), RING)
    ended.write("verdicts", VALUES)
    ended.close()
    heir, late = DiskCopy(str(tmp_path), RING), DiskCopy(str(tmp_path), RING)
    opened = late._opened

    def after_the_heir(name: str, path: Path) -> dict[str, Kept]:
        if heir.read("verdicts"):
            heir.write("verdicts", VALUES)
        return opened(name, path)

    with patch.object(late, "_opened", after_the_heir):
        assert late.read("verdicts") == VALUES


@pytest.mark.parametrize("error", [OSError(28, "No space left"), PermissionError(13, "no"), OSError(30, "read-only")])
def test_a_disk_that_cannot_be_written_costs_only_the_copy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: OSError
) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    disk.write("verdicts", VALUES)
    with patch("proxy.caches.disk_copy.os.open", side_effect=error):
        disk.write("verdicts", kept("newer"))
    assert "could not be written" in caplog.text
    assert disk.read("verdicts") == VALUES


def test_a_folder_that_was_removed_costs_only_the_copy(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path / "gone"), RING)
    (tmp_path / "gone").rmdir()
    assert not disk.write("verdicts", VALUES)
    assert disk.read("verdicts") == {}


def test_without_locks_files_are_read_and_go_by_their_age(tmp_path: Path) -> None:
    with patch("proxy.caches.disk_copy.fcntl.flock", side_effect=OSError(37, "No locks available")):
        disk = DiskCopy(str(tmp_path), RING)
        assert disk.write("verdicts", VALUES)
        heir = DiskCopy(str(tmp_path), RING)
        assert heir.read("verdicts") == VALUES
        assert heir.write("verdicts", VALUES)
    assert len(files(tmp_path)) == 2


def test_no_descriptor_is_kept_but_one_for_each_kind(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), RING)
    before = descriptors()
    for _ in range(5):
        for name in ("verdicts", "connections"):
            disk.write(name, disk.read(name) | VALUES)
    assert descriptors() == before + 2
    disk.close()
    assert descriptors() == before


def test_what_would_make_the_file_unreadable_is_left_out_and_the_first_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_copy, "MAX_BYTES", 2000)
    values = {f"key-{number}": Kept(1.0, b"x" * 500) for number in range(10)}
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


def test_the_newest_so_many_are_kept_the_newest_first() -> None:
    values = {**kept("old", asked=1.0), **kept("new", asked=3.0), **kept("middle", asked=2.0)}
    assert list(newest(values.items(), 2)) == ["new", "middle"]
