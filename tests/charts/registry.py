"""Every series that a deployment tells Prometheus, from the tables that count: names, labels and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from control.telemetry.metrics import BOUNDS as BOUNDS_OF_CONTROL
from control.telemetry.metrics import METRICS as OF_CONTROL
from proxy.telemetry.metrics import BOUNDS, METRICS, OF_THE_SUPERVISOR, STATUSES

OF_TARGETS: Final = frozenset({"namespace", "pod", "container", "job", "instance", "app_kubernetes_io_component"})
"""Labels that Prometheus gives what the chart's PodMonitor finds."""
ANY: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Series:
    """Of one name: its kind, and its labels with all their values; ANY where those come from snapshots."""

    kind: str
    labels: dict[str, frozenset[str]]


def registry() -> dict[str, Series]:
    """Name to series, with those into which a histogram is split."""
    return dict(_all())


def _all() -> Iterator[tuple[str, Series]]:
    for metric in (*METRICS, *OF_THE_SUPERVISOR):
        labels = {
            label: frozenset(values[place] for values in metric.values) or (STATUSES if label == "status" else ANY)
            for place, label in enumerate(metric.labels)
        }
        yield from _split(metric.name, metric.kind, labels, BOUNDS)
    for of_control in OF_CONTROL:
        labels = dict.fromkeys(of_control.labels, ANY)
        if labels:
            labels[of_control.labels[-1]] = frozenset(of_control.values)
        yield from _split(of_control.name, of_control.kind, labels, BOUNDS_OF_CONTROL)


def _split(
    name: str, kind: str, labels: dict[str, frozenset[str]], bounds: tuple[float, ...]
) -> Iterator[tuple[str, Series]]:
    if kind != "histogram":
        yield name, Series("counter" if kind == "counter" else "gauge", labels)
        return
    ends = frozenset({*(f"{bound:g}" for bound in bounds), "+Inf"})
    yield f"{name}_bucket", Series("counter", {**labels, "le": ends})
    yield f"{name}_sum", Series("counter", labels)
    yield f"{name}_count", Series("counter", labels)
