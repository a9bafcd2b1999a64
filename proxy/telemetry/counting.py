"""Counting: plain slots of one worker, in memory that the supervisor reads.

Adding to a slot costs a tenth of a microsecond and no lock, since only one thread of one process writes; counting a
whole call costs about one. The place of a series is looked up by the objects that name it, so that no text is made
for a call. Series come from our tables and from snapshots alone, and each kind of them has a bound: beyond, a call is
counted as `other`.
"""

from bisect import bisect_left
from pathlib import Path
from typing import Final

from proxy.telemetry.metrics import (
    BOUNDS,
    BYTES_IN,
    BYTES_OUT,
    CALLS,
    DURATIONS,
    LETTERS,
    METRICS,
    MOMENTARY,
    OTHER,
    REFUSALS,
    REQUESTS,
    REVISIONS,
    STATUSES,
    Metric,
    by_value,
    series,
)
from proxy.telemetry.slots_file import SlotsFile, clear

CALL_SERIES: Final = 5000
"""Of gateway, server, tool and status, besides those of `other`."""
DURATION_SERIES: Final = 300
"""Of gateway and status; each is ten lines of a scrape. All series together stay below 10,000."""
REVISION_SERIES: Final = 1000
_BUCKETS: Final = len(BOUNDS) + 1
_SUM: Final = _BUCKETS
_SPARE_SLOTS: Final = len(STATUSES) * (_BUCKETS + 2)
_SPARE_BYTES: Final = 64 * 1024
"""What is left for `other`, however long the names before it were."""

FAST_LANE: Final = series(REQUESTS, ("fast",))
AIOHTTP_LANE: Final = series(REQUESTS, ("aiohttp",))


CallSlots = tuple[int, int]
"""Where calls of one gateway, server, tool and status are counted: the counter, and the first slot of durations."""


class Slots:
    """This worker's slots; with no file, only in its own memory."""

    def __init__(self, path: str = "") -> None:
        self._file = SlotsFile(path)
        self._values = self._file.values
        self.planned = 0
        """Calls that went by a plan: `proxy/gauges.py` tells them once a second, in each of their series."""
        self._place = {entry.name: entry.first for entry in self._file.entries}
        self._calls: dict[tuple[str, str, str, str], CallSlots] = {}
        self._left = {CALLS.name: CALL_SERIES, DURATIONS.name: DURATION_SERIES, REVISIONS.name: REVISION_SERIES}
        for entry in self._file.entries:  # of the worker before this one
            family = entry.name.partition("{")[0]
            if family in self._left:
                self._left[family] -= 1
        for metric in METRICS:
            for values in metric.values:
                _ = self._made(metric, values)
        self._refusals = {reason: self._place[name] for reason, name in by_value(REFUSALS).items()}
        self._bytes_in = self._place[BYTES_IN]
        self._bytes_out = self._place[BYTES_OUT]

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count in a series that is known beforehand, by its whole name."""
        self._values[self._place[name]] += amount

    def set(self, name: str, value: float) -> None:
        """Tell a gauge."""
        self._values[self._place[name]] = value

    def count_refusal(self, reason: str) -> None:
        """Count a refusal."""
        self._values[self._refusals[reason]] += 1.0

    def call(
        self, gateway: str, server: str, tool: str, status: str, seconds: float, bytes_in: int, bytes_out: int
    ) -> None:
        """Count one call. The first three are names of a snapshot, `other` where none is known."""
        self.call_at(self.of_call(gateway, server, tool, status), seconds, bytes_in, bytes_out)

    def of_call(self, gateway: str, server: str, tool: str, status: str) -> CallSlots:
        """Where such calls are counted, for `call_at`."""
        return self._calls.get((gateway, server, tool, status)) or self._places(gateway, server, tool, status)

    def call_at(self, places: CallSlots, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """Count one call."""
        values, durations = self._values, places[1]
        values[places[0]] += 1.0
        values[durations + bisect_left(BOUNDS, seconds)] += 1.0
        values[durations + _SUM] += seconds
        values[self._bytes_in] += bytes_in
        values[self._bytes_out] += bytes_out

    def revision(self, gateway: str, revision: int) -> None:
        """Tell the revision of a gateway; 0 when it is held no more."""
        place = self._within_bound(REVISIONS, (gateway,))
        if place is not None:
            self._values[place] = revision

    def value(self, name: str) -> float:
        """What a series holds, by its whole name; 0 where there is none."""
        place = self._place.get(name)
        return float(self._values[place]) if place is not None else 0.0

    def _places(self, gateway: str, server: str, tool: str, status: str) -> CallSlots:
        if status not in STATUSES:
            return self._places(gateway, server, tool, "internal")  # no table has it: a bug of ours
        calls = self._within_bound(CALLS, (gateway, server, tool, status))
        durations = self._within_bound(DURATIONS, (gateway, status))
        full = calls is None or durations is None
        if calls is None:
            calls = self._made(CALLS, (OTHER, OTHER, OTHER, status))
        if durations is None:
            durations = self._made(DURATIONS, (OTHER, status))
        if not full or len(self._calls) < CALL_SERIES:
            self._calls[gateway, server, tool, status] = (calls, durations)
        return calls, durations

    def _within_bound(self, metric: Metric, values: tuple[str, ...]) -> int | None:
        """The place of a series, made if there is room for it."""
        name = series(metric, values)
        place = self._place.get(name)
        if place is not None:
            return place
        slots = _slots_of(metric)
        if self._left[metric.name] <= 0 or not self._file.has_room(name, slots, _SPARE_SLOTS, _SPARE_BYTES):
            return None
        self._left[metric.name] -= 1
        return self._made(metric, values)

    def _made(self, metric: Metric, values: tuple[str, ...]) -> int:
        name = series(metric, values)
        place = self._place.get(name)
        if place is None:
            place = self._place[name] = self._file.append(LETTERS[metric.kind], name, _slots_of(metric))
        return place


def _slots_of(metric: Metric) -> int:
    return _BUCKETS + 1 if metric.kind == "histogram" else 1


def clear_gauges(file: Path) -> None:
    """A worker died: what it held at that moment is held no more. Its counters stay."""
    clear(file, MOMENTARY)
