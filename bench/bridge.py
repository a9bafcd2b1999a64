"""What a call costs in the bridge, before a server that speaks over stdio: `python -m bench.bridge`.

The bridge with a cheap server behind it (`bench/echo_over_stdio.py`), and `bench/load.py` before it; every answer is
checked. What the bridge can do on one core is told by its CPU for each call, which a machine that is busy otherwise
does not change by much; beside it are the calls that came through, and the CPU of the server itself.
"""

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.cpu import cpu_seconds, with_children
from bench.orders import Orders, Target
from bench.processes import ROOT, end, generate

CONNECTIONS: Final = 16
_LISTENS: Final = re.compile(rb'"port":(\d+)')
_ANSWERS: Final = b"the server answers"
_STARTS_WITHIN_S: Final = 30.0


@contextmanager
def bridge(token: str) -> Iterator[tuple[int, int]]:
    """A bridge with the cheap server, until the block ends: pid and port."""
    command = [sys.executable, "-m", "bench.echo_over_stdio"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "bridge", "--port", "0", "--", *command],
                cwd=ROOT,
                env={**os.environ, "ARCHWAY_BRIDGE_TOKEN": token},
                stderr=sink,
            )
        try:
            yield process.pid, _port(process, log)
        finally:
            end(process)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    until = time.monotonic() + _STARTS_WITHIN_S
    while _ANSWERS not in (said := log.read_bytes()):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the bridge did not start: {said.decode(errors='replace')}")
        time.sleep(0.05)
    found = _LISTENS.search(said)
    assert found is not None
    return int(found[1])


def measured(seconds: float, connections: int = CONNECTIONS) -> dict[str, float]:
    """Figures of so many seconds of load, `bridge_...`. Raises RuntimeError where an answer was wrong or lost."""
    token = secrets.token_urlsafe(24)
    with bridge(token) as (pid, port):
        orders = Orders(
            url=f"http://127.0.0.1:{port}",
            targets=[Target("/mcp", "echo")],
            tokens=[token],
            connections=connections,
            seconds=min(seconds, 1.0),
        )
        _ = generate("bench.load", orders)
        children = [one for one in with_children(pid) if one != pid]
        before = cpu_seconds([pid]), cpu_seconds(children)
        orders.seconds = seconds
        seen = generate("bench.load", orders)
        used = cpu_seconds([pid]) - before[0], cpu_seconds(children) - before[1]
    if seen["wrong"] or seen["lost"]:
        raise RuntimeError(f"wrong answers: {seen['wrong']}, lost: {seen['lost']}: {seen['example']}")
    bridge_us, server_us = (1e6 * cpu / seen["calls"] for cpu in used)
    return {
        "bridge_us": bridge_us,
        "bridge_calls_per_core_second": 1e6 / bridge_us,
        "bridge_server_us": server_us,
        "bridge_calls_per_second": seen["calls_per_second"],
        "bridge_p50_ms": seen["p50_ms"],
        "bridge_p99_ms": seen["p99_ms"],
    }


def main() -> None:
    """The program: prints `name: value` for each figure."""
    parser = argparse.ArgumentParser(prog="python -m bench.bridge", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of load")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="callers at once")
    told = parser.parse_args()
    for name, value in measured(told.seconds, told.connections).items():
        print(f"{name}: {value:.1f}")


if __name__ == "__main__":
    main()
