import re

from proxy.refusals import TABLE
from proxy.telemetry.metrics import BOUNDS, LETTERS, METRICS, MOMENTARY, STATUSES, series


def test_names_and_labels_are_as_prometheus_wants_them() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"archway_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels)
        assert "\n" not in metric.says
        assert "\\" not in metric.says
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_counters_outlive_their_worker_and_moments_do_not() -> None:
    assert {kind for kind, letter in LETTERS.items() if letter not in MOMENTARY} == {"counter", "histogram"}


def test_every_reason_is_a_status() -> None:
    assert TABLE.keys() < STATUSES


def test_bounds_rise() -> None:
    assert list(BOUNDS) == sorted(set(BOUNDS))


def test_a_value_is_escaped_and_cut() -> None:
    metric = next(metric for metric in METRICS if metric.labels == ("gateway",))
    assert series(metric, ('a"b\\c\nd',)) == 'archway_snapshot_revision{gateway="a\\"b\\\\c\\nd"}'
    assert series(metric, ("x" * 300,)) == f'archway_snapshot_revision{{gateway="{"x" * 200}"}}'
