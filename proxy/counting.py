"""Counting: plain slots of one worker, in memory that the supervisor reads.

A slot is one 64-bit float at a fixed place in a small file that supervisor and worker both map; adding to it costs a
few hundred nanoseconds and no lock, since only one thread of one process writes. A worker that dies leaves its counts
behind, so totals never fall. Names are known beforehand: nothing that a caller sends becomes a name.
"""

import mmap
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from proxy.refusals import TABLE

COUNTERS: Final[tuple[str, ...]] = (
    "archway_requests_total",
    "archway_calls_total",
    "archway_call_seconds_total",
    "archway_bytes_in_total",
    "archway_bytes_out_total",
    "archway_lists_total",
    "archway_progress_total",
    "archway_records_total",
    "archway_records_dropped_total",
    "archway_stale_uses_total",
    "archway_snapshots_rejected_total",
    "archway_stream_holes_total",
    "archway_log_lines_dropped_total",
    "archway_refusals_unsaid_total",
    *(f'archway_refusals_total{{reason="{reason}"}}' for reason in TABLE),
)
GAUGES: Final[tuple[str, ...]] = (
    "archway_calls_in_flight",
    "archway_streams_open",
    "archway_gateways_held",
    "archway_verdicts_held",
    "archway_connections_held",
    "archway_tls_files_broken",
)
OLDEST: Final[tuple[str, ...]] = ("archway_snapshot_age_seconds", "archway_worker_start_time_seconds")
"""Gauges of which the largest of all workers is told."""

_NAMES: Final = COUNTERS + GAUGES + OLDEST
_PLACE: Final = {name: index for index, name in enumerate(_NAMES)}
SIZE: Final = 8 * len(_NAMES)


class Slots:
    """This worker's slots; with no file, only in its own memory."""

    def __init__(self, path: str = "") -> None:
        self._memory: mmap.mmap | bytearray = bytearray(SIZE)
        if path:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.ftruncate(descriptor, SIZE)
                self._memory = mmap.mmap(descriptor, SIZE)
            finally:
                os.close(descriptor)
        self._values = memoryview(self._memory).cast("d")

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count."""
        self._values[_PLACE[name]] += amount

    def set(self, name: str, value: float) -> None:
        """Tell a gauge."""
        self._values[_PLACE[name]] = value

    def refused(self, reason: str) -> None:
        """Count a refusal."""
        self._values[_REFUSALS[reason]] += 1.0

    def value(self, name: str) -> float:
        """What a slot holds."""
        return float(self._values[_PLACE[name]])


def clear_gauges(file: Path) -> None:
    """A worker died: what it held at that moment is held no more. Its counters stay."""
    try:
        with file.open("r+b") as slots:
            for name in GAUGES + OLDEST:
                slots.seek(8 * _PLACE[name])
                slots.write(bytes(8))
    except OSError:
        return


_REFUSALS: Final = {reason: _PLACE[f'archway_refusals_total{{reason="{reason}"}}'] for reason in TABLE}


def render(files: Iterable[Path]) -> bytes:
    """Prometheus text (exposition format 0.0.4) of all workers' slots, added up."""
    totals = [0.0] * len(_NAMES)
    workers = 0
    for file in files:
        try:
            raw = file.read_bytes()
        except OSError:
            continue
        if len(raw) != SIZE:
            continue
        workers += 1
        for index, value in enumerate(struct.unpack(f"{len(_NAMES)}d", raw)):
            totals[index] = max(totals[index], value) if _NAMES[index] in OLDEST else totals[index] + value
    lines: list[str] = []
    family = ""
    for name, total in zip(_NAMES, totals, strict=True):
        bare = name.partition("{")[0]
        if bare != family:
            family = bare
            lines.append(f"# TYPE {bare} {'counter' if name in COUNTERS else 'gauge'}")
        lines.append(f"{name} {total:.15g}")
    lines.append(f"# TYPE archway_worker_slots gauge\narchway_worker_slots {workers}")
    return ("\n".join(lines) + "\n").encode()
