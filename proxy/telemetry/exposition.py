"""The workers' numbers as Prometheus reads them (text exposition format 0.0.4), added up.

`archway/supervisor/metrics_listener.py` asks for it at each scrape. A file is read while its worker writes: each
number is whole, but two of them may be of different moments.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from proxy.telemetry.counting import CALL_SERIES, DURATION_SERIES, REVISION_SERIES
from proxy.telemetry.metrics import (
    BOUNDS,
    BY_NAME,
    CALLS,
    DURATIONS,
    METRICS,
    OTHER,
    REVISIONS,
    WORKER_SLOTS,
    Metric,
    series,
)
from proxy.telemetry.slots_file import Entry, read

_TYPES: Final = {"c": "counter", "h": "histogram"}
_OTHER_LABEL: Final = f'="{OTHER}"'
_MOST: Final = {CALLS.name: CALL_SERIES, DURATIONS.name: DURATION_SERIES, REVISIONS.name: REVISION_SERIES}
Numbers = tuple[float, ...]


class Exposition:
    """Renders files of counts. The bounds on series that each worker keeps hold for their sum too: series that came
    first stay, and what comes later from another worker is added to `other`, as long as this object lives.
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {name: set() for name in _MOST}

    def __call__(self, files: Iterable[Path]) -> bytes:
        """The text."""
        families: dict[str, dict[str, tuple[Entry, Numbers]]] = {metric.name: {} for metric in METRICS}
        workers = 0
        for file in files:
            held = read(file)
            if held is None:
                continue
            workers += 1
            for entry, numbers in held:
                family = entry.name.partition("{")[0]
                self._add(families.setdefault(family, {}), family, entry, numbers)
        lines = [line for family, held in families.items() for line in _family(family, held)]
        return ("\n".join(lines) + "\n").encode() + gauge(WORKER_SLOTS, workers)

    def _add(self, held: dict[str, tuple[Entry, Numbers]], family: str, entry: Entry, numbers: Numbers) -> None:
        name = entry.name
        if family in _MOST and name not in self._known[family] and _OTHER_LABEL not in name:
            if len(self._known[family]) >= _MOST[family]:
                if entry.kind not in "ch":
                    return
                name = _as_other(BY_NAME[family], name)
            else:
                self._known[family].add(name)
        before = held.get(name)
        held[name] = (entry, numbers if before is None else _together(entry.kind, before[1], numbers))


def render(files: Iterable[Path]) -> bytes:
    """The text of these files, once."""
    return Exposition()(files)


def gauge(metric: Metric, value: int) -> bytes:
    """The text of a gauge without labels, of what the supervisor knows itself."""
    return "\n".join([*_head(metric.name, "gauge", metric.says), f"{metric.name} {value}", ""]).encode()


def _together(kind: str, ours: Numbers, theirs: Numbers) -> Numbers:
    if kind == "o":
        return (max(ours[0], theirs[0]),)
    if kind == "l":
        return (min(filter(None, (*ours, *theirs)), default=0.0),)
    return tuple(one + other for one, other in zip(ours, theirs, strict=False))


def _as_other(metric: Metric, name: str) -> str:
    status = name[name.rindex('status="') + 8 : -2]
    return series(metric, (*(OTHER,) * (len(metric.labels) - 1), status))


def _family(name: str, held: dict[str, tuple[Entry, Numbers]]) -> list[str]:
    if not held:
        return []
    kind = next(iter(held.values()))[0].kind
    metric = BY_NAME.get(name)
    lines = _head(name, _TYPES.get(kind, "gauge"), metric.says if metric is not None else "")
    for full, (entry, numbers) in held.items():
        if entry.kind == "h":
            lines += _histogram(name, full, numbers)
        elif entry.kind != "l" or numbers[0]:
            lines.append(f"{full} {_number(numbers[0])}")
    return lines


def _head(name: str, kind: str, says: str) -> list[str]:
    return [f"# HELP {name} {says}", f"# TYPE {name} {kind}"]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _histogram(name: str, full: str, numbers: Sequence[float]) -> list[str]:
    """Buckets here hold what fell into them alone; Prometheus wants each with all below it."""
    if len(numbers) != len(BOUNDS) + 2:
        return []  # of a version with other bounds
    labels = full[len(name) + 1 : -1]
    lines, below = [], 0.0
    for bound, number in zip((*(f"{bound:g}" for bound in BOUNDS), "+Inf"), numbers, strict=False):
        below += number
        lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {_number(below)}')
    lines += [f"{name}_sum{{{labels}}} {_number(numbers[-1])}", f"{name}_count{{{labels}}} {_number(below)}"]
    return lines
