"""What a load test tells about the size of a deployment: figures read while it runs, and a table at its end.

CPU and memory are read from /proc and need `archway up` on this machine; streams and records come from the metrics
listener, commands from Redis itself. What could not be read says what would be needed.
"""

import re
import time
import urllib.request
from dataclasses import dataclass, field

import redis

from bench.cpu import cpu_seconds, resident_mib
from bench.load_setup import Place
from bench.processes import environment_of

_DAY_S = 86_400
_SERIES = re.compile(r"^(archway_\w+)(?:\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of a deployment read at one moment; None where one could not be read."""

    at: float
    cpu_s: float | None
    resident_mib: float | None
    streams: float | None
    records: float | None
    commands: float | None


@dataclass
class Sizing:
    """Samples of a deployment from the beginning of a load test to its end."""

    place: Place
    redis_url: str = ""
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.redis_url and self.place.pids:
            self.redis_url = environment_of(self.place.pids["proxy"][0]).get("ARCHWAY_REDIS_URL", "")

    def look(self) -> None:
        """Read everything once."""
        pids = self.place.pids.get("proxy", [])
        counted = _metrics(self.place.metrics_url)
        try:
            cpu, resident = (cpu_seconds(pids), resident_mib(pids)) if pids else (None, None)
        except OSError:
            cpu = resident = None  # a worker was replaced
        self.samples.append(
            Sample(
                time.monotonic(),
                cpu,
                resident,
                counted.get("archway_streams_open"),
                counted.get("archway_records_total"),
                _commands(self.redis_url),
            )
        )

    def table(self, calls: int, users: int) -> str:
        """Markdown. `calls` are those that the generator saw answered."""
        first, last = self.samples[0], self.samples[-1]
        took = max(last.at - first.at, 1e-9)
        cpu = _change(first.cpu_s, last.cpu_s)
        records = _change(first.records, last.records)
        commands = _change(first.commands, last.commands)
        fullest = max(self.samples, key=lambda sample: sample.streams or 0)
        grown = _change(first.resident_mib, fullest.resident_mib)
        here, metrics, redis = "needs ARCHWAY_STATE", "needs ARCHWAY_METRICS_URL", "needs ARCHWAY_REDIS_URL"
        rows = [
            ("calls a second", f"{calls / took:,.1f}"),
            ("users", f"{users}"),
            ("calls a second a core", _figure(calls, cpu, here)),
            ("CPU microseconds a call, lists and streams included", _figure(cpu, calls, here, 1e6)),
            ("most open streams", _figure(fullest.streams, 1, metrics)),
            ("MiB per stream, at most", _figure(grown, fullest.streams, f"{here} and streams")),
            ("Redis commands a call", _figure(commands, calls, redis)),
            ("Redis commands a second", _figure(commands, took, redis)),
            ("records a day at this rate", _figure(records, took, metrics, _DAY_S)),
        ]
        return "\n".join(["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _figure(part: float | None, of: float | None, needs: str, times: float = 1) -> str:
    if part is None or not of:
        return needs
    value = times * part / of
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3f}"


def _change(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first


def _metrics(url: str) -> dict[str, float]:
    """Sums over all series of a name."""
    if not url:
        return {}
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            text = answer.read(16 << 20).decode()
    except OSError:
        return {}
    sums: dict[str, float] = {}
    for name, value in _SERIES.findall(text):
        sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def _commands(url: str) -> float | None:
    if not url:
        return None
    try:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            return float(client.info("stats")["total_commands_processed"])
    except (redis.RedisError, KeyError):
        return None
