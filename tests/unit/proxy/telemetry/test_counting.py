from pathlib import Path

import pytest

from proxy.telemetry import counting
from proxy.telemetry.counting import AIOHTTP_LANE, FAST_LANE, Slots, clear_gauges
from proxy.telemetry.exposition import render
from proxy.telemetry.metrics import LONGEST_VALUE, METRICS, STATUSES, series
from proxy.telemetry.slots_file import CAPACITY

OF_OTHER = 'archway_calls_total{gateway="other",server="other",tool="other",status="ok"}'


def call(slots: Slots, tool: str = "t", status: str = "ok", gateway: str = "g", seconds: float = 0.01) -> None:
    slots.call(gateway, "s", tool, status, seconds, 100, 200)


def calls_of(tool: str, status: str = "ok", gateway: str = "g") -> str:
    return f'archway_calls_total{{gateway="{gateway}",server="s",tool="{tool}",status="{status}"}}'


def test_a_call_is_counted_once_everywhere() -> None:
    slots = Slots()
    call(slots)
    call(slots)
    call(slots, status="tool_error")
    assert (slots.value(calls_of("t")), slots.value(calls_of("t", "tool_error"))) == (2, 1)
    assert (slots.value("archway_bytes_in_total"), slots.value("archway_bytes_out_total")) == (300, 600)


def test_a_dead_workers_gauges_fall_and_its_counters_stay(tmp_path: Path) -> None:
    file = tmp_path / "worker-1.counts"
    slots = Slots(str(file))
    call(slots)
    slots.add("archway_records_total", 3)
    slots.set("archway_calls_in_flight", 2)
    slots.revision("g", 7)

    clear_gauges(file)

    text = render([file]).decode().splitlines()
    assert "archway_records_total 3" in text
    assert calls_of("t") + " 1" in text
    assert "archway_calls_in_flight 0" in text
    assert 'archway_snapshot_revision{gateway="g"} 7' not in text


def test_the_next_worker_of_a_number_counts_on(tmp_path: Path) -> None:
    for lives in (1, 2, 3):
        slots = Slots(str(tmp_path / "f"))
        call(slots, "a")
        call(slots, "b", seconds=7)
        assert (slots.value(calls_of("a")), slots.value(calls_of("b"))) == (lives, lives)
    assert 'archway_call_duration_seconds_count{gateway="g",status="ok"} 6' in render([tmp_path / "f"]).decode()


def test_beyond_the_bound_a_call_is_counted_as_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CALL_SERIES", 2)
    slots = Slots()
    for tool in ("a", "b", "c", "d", "a"):
        call(slots, tool)
    assert [slots.value(calls_of(tool)) for tool in "abcd"] == [2, 1, 0, 0]
    assert slots.value(OF_OTHER) == 2


def test_the_bound_counts_what_the_worker_before_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(counting, "CALL_SERIES", 2)
    for tool in ("a", "b", "c"):
        call(Slots(str(tmp_path / "f")), tool)
    assert calls_of("c") not in render([tmp_path / "f"]).decode()


def test_what_the_counting_remembers_of_overflowing_names_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CALL_SERIES", 10)
    slots = Slots()
    for number in range(100):
        call(slots, f"t{number}")
    assert len(slots._calls) == 10
    assert slots.value(OF_OTHER) == 90


def test_everything_at_its_bound_fits_into_the_file_and_other_still_has_its_place(tmp_path: Path) -> None:
    slots = Slots(str(tmp_path / "f"))
    names = [f"{number:0{LONGEST_VALUE}}" for number in range(6000)]
    for name in names:
        slots.call(name, name, name, "ok", 0.1, 0, 0)
        slots.revision(name, 1)
    long = "x" * LONGEST_VALUE  # a short name might just fit into what the others left
    for status in STATUSES:
        slots.call(long, long, long, status, 0.1, 0, 0)
    counted = sum(slots.value(name) for name in slots._place if name.startswith("archway_calls_total"))
    assert counted == 6000 + len(STATUSES)
    assert all(slots.value(series(counting.CALLS, ("other", "other", "other", status))) for status in STATUSES)
    assert slots._file._used <= CAPACITY


def test_a_status_of_no_table_is_a_bug_and_makes_no_series() -> None:
    slots = Slots()
    call(slots, status='x"} 1\n')
    assert slots.value(calls_of("t", "internal")) == 1
    assert not [name for name in slots._place if "x" in name.partition("status=")[2]]


def test_every_series_that_is_known_beforehand_is_there_from_the_start() -> None:
    slots = Slots()
    for metric in METRICS:
        for values in metric.values:
            slots.add(series(metric, values), 1)
    slots.add(FAST_LANE)
    slots.add(AIOHTTP_LANE)
    with pytest.raises(KeyError):
        slots.add("archway_unheard_of_total")
