from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.keys import new_key, parse_key_ring
from proxy.caches.disk_copy import DiskCopy, Kept
from proxy.gateways.disk_snapshots import NAME, DiskSnapshots, to_keep

KEYS = parse_key_ring("proxy", new_key())


@pytest.fixture
def disk(tmp_path: Path) -> DiskCopy:
    return DiskCopy(str(tmp_path), KEYS)


def loaded(disk: DiskCopy, values: dict[str, Kept], most: int = 10) -> DiskSnapshots:
    disk.write(NAME, values)
    snapshots = DiskSnapshots(60.0, most)
    assert snapshots.load(disk) == bool(values)
    return snapshots


def test_a_snapshot_is_found_by_its_identifier_and_by_its_slug(disk: DiskCopy) -> None:
    snapshots = loaded(disk, {"id-1": to_keep("desk", b"a document of words", time.time() - 10)})
    found = snapshots.find(snapshots.identifier("desk"))
    assert found is not None
    assert (found[0], round(found[1])) == (b"a document of words", 10)
    assert snapshots.find("id-1") is not None
    assert snapshots.identifier("unknown") == "unknown"
    assert snapshots.find("unknown") is None


@pytest.mark.parametrize("age", [61.0, 3600.0, -120.0])
def test_past_the_hard_age_and_from_the_future_nothing_serves(disk: DiskCopy, age: float) -> None:
    snapshots = loaded(disk, {"id-1": to_keep("desk", b"document", time.time() - age)})
    assert snapshots.find("id-1") is None
    assert snapshots.still_of_use() == {}


def test_a_slug_that_two_gateways_had_is_the_later_ones(disk: DiskCopy) -> None:
    now = time.time()
    for order in ((1, 2), (2, 1)):
        values = {f"id-{one}": to_keep("desk", b"d", now - 30 + one) for one in order}
        assert loaded(disk, values).identifier("desk") == "id-2"


def test_what_was_deleted_is_neither_found_nor_kept(disk: DiskCopy) -> None:
    snapshots = loaded(disk, {f"id-{one}": to_keep(f"desk-{one}", b"d", time.time()) for one in (1, 2)})
    snapshots.forget("id-1")
    assert snapshots.find("id-1") is None
    assert list(snapshots.still_of_use()) == ["id-2"]


def test_of_more_than_are_held_in_memory_the_newest_are_kept(disk: DiskCopy) -> None:
    values = {f"id-{one}": to_keep(f"desk-{one}", b"d", time.time() - one) for one in range(5)}
    assert list(loaded(disk, values, most=2).still_of_use()) == ["id-0", "id-1"]
