from pathlib import Path

from proxy.counting import Slots, clear_gauges, render


def test_a_dead_workers_gauges_fall_and_its_counters_stay(tmp_path: Path) -> None:
    file = tmp_path / "worker-1.counts"
    slots = Slots(str(file))
    slots.add("archway_calls_total", 3)
    slots.set("archway_calls_in_flight", 2)

    clear_gauges(file)

    text = render([file]).decode()
    assert "archway_calls_total 3" in text
    assert "archway_calls_in_flight 0" in text


def test_workers_are_added_up_and_the_oldest_age_is_told(tmp_path: Path) -> None:
    files = [tmp_path / "1", tmp_path / "2"]
    for age, file in enumerate(files, 5):
        slots = Slots(str(file))
        slots.add("archway_calls_total")
        slots.set("archway_snapshot_age_seconds", age)

    text = render(files).decode()

    assert "archway_calls_total 2" in text
    assert "archway_snapshot_age_seconds 6" in text


def test_a_file_of_another_size_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"12345678")
    assert "archway_worker_slots 0" in render([tmp_path / "old", tmp_path / "absent"]).decode()
