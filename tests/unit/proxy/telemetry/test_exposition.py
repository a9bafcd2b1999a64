from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from proxy.telemetry import exposition
from proxy.telemetry.counting import Slots
from proxy.telemetry.exposition import Exposition, render
from proxy.telemetry.metrics import BOUNDS, LONGEST_VALUE, METRICS


def parsed(text: bytes) -> dict[str, Metric]:
    """As prometheus_client's own parser reads it."""
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def numbers(text: bytes, name: str) -> dict[tuple[str, ...], float]:
    """Values of one name by its labels' values, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in parsed(text).values()
        for sample in family.samples
        if sample.name == name
    }


def written(folder: Path, number: int = 1) -> Slots:
    return Slots(str(folder / f"worker-{number}.counts"))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("worker-*.counts"))


def test_every_metric_has_its_type_and_a_sentence(tmp_path: Path) -> None:
    slots = written(tmp_path)
    slots.call("g", "s", "t", "ok", 0.1, 1, 1)
    slots.revision("g", 3)
    families = parsed(render(files(tmp_path)))
    types = {"oldest": "gauge", "least": "gauge"}
    for metric in METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (types.get(metric.kind, metric.kind), metric.says)


def test_a_duration_is_in_its_bucket_and_in_all_above(tmp_path: Path) -> None:
    slots = written(tmp_path)
    for seconds in (0.004, 0.005, 0.006, 0.2, 100.0):
        slots.call("g", "s", "t", "ok", seconds, 0, 0)
    text = render(files(tmp_path))
    buckets = numbers(text, "archway_call_duration_seconds_bucket")
    assert [buckets["g", le, "ok"] for le in ("0.005", "0.025", "0.1", "0.5", "60", "+Inf")] == [2, 3, 3, 4, 4, 5]
    assert len(buckets) == len(BOUNDS) + 1
    assert numbers(text, "archway_call_duration_seconds_count") == {("g", "ok"): 5}
    assert numbers(text, "archway_call_duration_seconds_sum")["g", "ok"] == pytest.approx(100.215)


def test_workers_are_added_up_the_oldest_age_is_told_and_the_lowest_revision(tmp_path: Path) -> None:
    for number, slots in enumerate((written(tmp_path, 1), written(tmp_path, 2), written(tmp_path, 3)), 5):
        slots.add("archway_records_total")
        slots.call("g", "s", "t", "ok", 0.001, 10, 20)
        slots.set("archway_snapshot_age_seconds", number)
        slots.revision("g", number % 7)  # the last holds it no more

    text = render(files(tmp_path))

    assert numbers(text, "archway_records_total") == {(): 3}
    assert numbers(text, "archway_calls_total") == {("g", "s", "ok", "t"): 3}
    assert numbers(text, "archway_bytes_in_total") == {(): 30}
    assert numbers(text, "archway_call_duration_seconds_count") == {("g", "ok"): 3}
    assert numbers(text, "archway_snapshot_age_seconds") == {(): 7}
    assert numbers(text, "archway_snapshot_revision") == {("g",): 5}


def test_a_file_of_something_else_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "worker-1.counts").write_bytes(b"12345678")
    assert numbers(render([*files(tmp_path), tmp_path / "absent"]), "archway_worker_slots") == {(): 0}


def test_the_bound_of_all_workers_together_keeps_who_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exposition._MOST, "archway_calls_total", 2)
    told = Exposition()
    first, second = written(tmp_path, 1), written(tmp_path, 2)
    second.call("g", "s", "mine", "ok", 0.1, 0, 0)
    told(files(tmp_path))
    for tool in ("a", "b", "c"):
        first.call("g", "s", tool, "tool_error", 0.1, 0, 0)

    counted = numbers(told(files(tmp_path)), "archway_calls_total")

    assert counted == {
        ("g", "s", "tool_error", "a"): 1, ("other", "other", "tool_error", "other"): 2, ("g", "s", "ok", "mine"): 1,
    }  # fmt: skip


def test_full_workers_make_fewer_than_ten_thousand_series(tmp_path: Path) -> None:
    for number in (1, 2):
        slots = written(tmp_path, number)
        for call in range(6000):
            slots.call(f"g{call % 700}-{number}", "s", f"t{call}", "ok", 0.1, 0, 0)
            slots.revision(f"g{call}-{number}", 1)
    families = parsed(render(files(tmp_path)))
    assert sum(len(family.samples) for family in families.values()) <= 10_000
    total = sum(sample.value for sample in families["archway_calls"].samples)
    assert total == 12_000


names = st.text(st.sampled_from('\\"n\n{}=,') | st.characters(), max_size=LONGEST_VALUE + 20)


@example(["ends so\\", "\\n", '\\"'])
@given(st.lists(names, min_size=3, max_size=3))
def test_whatever_a_name_holds_the_parser_gets_it_back(names: list[str]) -> None:
    slots = Slots()
    slots.call(names[0], names[1], names[2], "ok", 0.1, 1, 1)
    made = next(name for name in slots._place if name.startswith("archway_calls_total{"))
    text = f"# TYPE archway_calls_total counter\n{made} 1\n".encode("utf-8", "replace")
    (labels,) = numbers(text, "archway_calls_total")
    wanted = tuple(
        name[:LONGEST_VALUE].encode("utf-8", "replace").decode() for name in (names[0], names[1], "ok", names[2])
    )
    assert labels == wanted
