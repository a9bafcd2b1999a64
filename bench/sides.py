"""What stands between load and server, and one measured round on it.

A side of ours is a further `archway proxy` of the deployment, with a lane and a number of workers of its own.
"""

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.cpu import cpu_seconds, keep_on, resident_mib, with_children
from bench.deployment import COMMAND, Deployment
from bench.orders import Orders, Target
from bench.processes import end, generate
from bench.refreshes import Refreshes, refreshes_of
from proxy.settings import ProxySettings

HAS_LANES = any(one == "lane" for one in ProxySettings.__struct_fields__)
"""Whether this Archway has more than one lane to compare."""
PROXY_CORE = 0
_READY_S = 30.0
_SHORTLY_S = 0.5
_MANY_CALLS = {
    "ARCHWAY_CALLS_PER_UPSTREAM": "1000",
    "ARCHWAY_MOST_LAG": "1",
    "ARCHWAY_LOG_LEVEL": "WARNING",
}
"""The default of 100 calls at one server would refuse most of 256 connections that call one server; and 256 that
wait for nothing but answers make the slower lane, on a busy machine, late enough to refuse some."""


@dataclass(frozen=True)
class Side:
    """One of the things that are measured beside each other, such as a proxy of ours or nginx."""

    name: str
    url: str
    pid: int
    target: Target | None = None
    """What is called here whatever the row says: a bare proxy knows one path."""
    metrics_url: str = ""
    """Where a proxy of ours tells what it counts."""

    @property
    def pids(self) -> list[int]:
        """Every process on this side."""
        return with_children(self.pid)

    def ordered(self, orders: Orders) -> Orders:
        """The orders, for this side."""
        return _changed(orders, url=self.url, targets=[self.target] if self.target else orders.targets)


class WrongAnswers(Exception):
    """A figure over wrong or lost answers would mean nothing."""


def measured(side: Side, orders: Orders) -> dict[str, Any]:
    """Load a side, after a short while that does not count; what was seen, and its CPU a call in microseconds.

    Raises WrongAnswers.
    """
    orders = side.ordered(orders)
    first = generate("bench.load", _changed(orders, seconds=min(_SHORTLY_S, orders.seconds)))
    pids = side.pids
    asked, before = _refreshes(side), cpu_seconds(pids)
    seen = generate("bench.load", orders)
    used = cpu_seconds(pids) - before
    refreshes = _refreshes(side).since(asked)
    if seen["wrong"] or seen["lost"] or not seen["calls"]:
        raise WrongAnswers(f"{side.name}: {seen['wrong']} wrong, {seen['lost']} lost answers; {seen['example']!r}")
    seen |= {"cpu_us_per_call": 1e6 * used / seen["calls"], "resident_mib": resident_mib(pids)}
    seen |= {"refreshes": refreshes.refreshes, "refresh_questions": refreshes.questions}
    seen["calls_in_all"] = first["calls"] + seen["calls"]
    return seen


def _refreshes(side: Side) -> Refreshes:
    return refreshes_of(side.metrics_url) if side.metrics_url else Refreshes(0, 0)


def warm(side: Side, orders: Orders) -> None:
    """Let a side meet every target and caller, so that no round pays for the first time.

    A cold proxy refuses some of many strangers who come at once; it knows all of them when it refuses none.
    """
    longest = max(len(orders.targets), len(orders.tokens))
    seconds = min(1.0, orders.seconds)
    for _ in range(10):
        seen = generate("bench.load", _changed(side.ordered(orders), seconds=seconds))
        if seen["calls"] >= 1.5 * longest and not seen["wrong"]:
            return
        seconds *= 2


@contextmanager
def archway_side(
    running: Deployment, name: str, lane: str, workers: int = 1, *, settings: dict[str, str] | None = None
) -> Iterator[Side]:
    """A proxy of the deployment: `lane` is what ARCHWAY_LANE takes."""
    told = {
        **running.proxy_environment,
        "ARCHWAY_PROXY_LISTEN": "127.0.0.1:0",
        "ARCHWAY_PROXY_INTERNAL_LISTEN": "127.0.0.1:0",
        "ARCHWAY_METRICS_LISTEN": "127.0.0.1:0",
        "ARCHWAY_DISK_CACHE": "",
        "ARCHWAY_WORKERS": str(workers),
        **_MANY_CALLS,
        **(settings or {}),
    }
    if HAS_LANES:
        told["ARCHWAY_LANE"] = lane
    with tempfile.TemporaryDirectory(prefix="archway-bench-side-", dir=running.state.parent) as folder:
        ports = Path(folder) / "ports.json"
        process = subprocess.Popen([COMMAND, "proxy", "--ports-file", str(ports), "--grace", "1"], env=told)
        try:
            url = _when_ready(process, ports, workers)
            told_at = f"http://127.0.0.1:{json.loads(ports.read_text())['metrics']}/metrics"
            side = Side(name, url, process.pid, metrics_url=told_at)
            if running.plan.pin and workers == 1:
                keep_on(side.pids, [PROXY_CORE])
            yield side
        finally:
            end(process, 20)


def lane_of(side_name: str) -> str:
    """The lane that a side is named for."""
    return "fast" if side_name == "fast" else "aiohttp"


def _changed(orders: Orders, **changes: Any) -> Orders:
    return msgspec.structs.replace(orders, **changes)


def _when_ready(process: "subprocess.Popen[bytes]", ports: Path, workers: int) -> str:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.1)
        if not ports.exists():
            continue
        said = json.loads(ports.read_text())
        url = f"http://127.0.0.1:{said['proxy']}"
        if len(said["workers"]) >= workers and all(is_ready(url) for _ in range(4 * workers)):
            return url
    raise RuntimeError("a proxy did not become ready; what it said stands above")


def is_ready(url: str) -> bool:
    """Whether a proxy would take calls."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url + "/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
