"""What a governed call costs, as a ratio to a bare proxy measured in the same run: `make bench`.

Starts the real product (`archway up`, one worker), a cheap MCP server behind it, and beside it a bare aiohttp reverse
proxy and, where it is installed, nginx. Rounds go A, B, A, B ... so that a noisy machine is noisy for all. CPU is
user + system of the proxy's processes, read from /proc; figures are medians over the rounds; every answer is checked.
Writes JSON with the machine's facts under bench/results/, and ends with lines `name: value`.
"""

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archway.admin_client import AdminApi

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
CONNECTIONS = 64
CALLERS = 8
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Side:
    """Something that stands between load and server."""

    name: str
    url: str
    token: str
    tool: str
    pids: list[int]


def main() -> None:
    """Measure, write, print."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, stub_port = ending.enter_context(_process("bench.stub_upstream", "0"))
        upstream = f"http://127.0.0.1:{stub_port}/mcp"
        bare, bare_port = ending.enter_context(_process("bench.bare_proxy", "0", upstream))
        sides = [
            ending.enter_context(_archway(folder / "state", upstream)),
            Side("bare_aiohttp", f"http://127.0.0.1:{bare_port}/", "none", "echo", [bare.pid]),
        ]
        if nginx := shutil.which("nginx"):
            sides.append(ending.enter_context(_nginx(nginx, folder, stub_port)))
        rounds = [{side.name: _round(side) for side in sides} for _ in range(ROUNDS)]
    _report(sides, rounds)


def _round(side: Side) -> dict[str, float]:
    """One load on one side, warmed up first."""
    _load(side, 0.5)
    before = _cpu_seconds(side.pids)
    seen = _load(side, SECONDS)
    used = _cpu_seconds(side.pids) - before
    if seen["wrong"] or seen["lost"]:
        sys.exit(f"bench: {side.name}: {seen['wrong']} wrong and {seen['lost']} lost answers")
    result = seen | {"cpu_us_per_call": 1e6 * used / seen["calls"]}
    cost, rate = result["cpu_us_per_call"], result["calls_per_second"]
    waits = f"p50 {seen['p50_ms']:.2f} ms, p99 {seen['p99_ms']:.2f} ms"
    print(f"  {side.name:13} {cost:7.1f} us CPU a call, {rate:7.0f} calls/s, {waits}", flush=True)
    return result


def _load(side: Side, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", side.url, side.token, side.tool, str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=HERE.parent, timeout=60 + seconds)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _report(sides: list[Side], rounds: list[dict[str, dict[str, float]]]) -> None:
    lines: dict[str, float] = {}
    for side in sides:
        for figure in ("cpu_us_per_call", "calls_per_second", "p50_ms", "p99_ms"):
            lines[f"{side.name}_{figure}"] = statistics.median(one[side.name][figure] for one in rounds)
    for other in sides[1:]:
        ratios = [one["archway"]["cpu_us_per_call"] / one[other.name]["cpu_us_per_call"] for one in rounds]
        lines[f"ratio_to_{other.name}"] = statistics.median(ratios)
    facts = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "connections": CONNECTIONS,
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "lane": "aiohttp",
    }
    target = HERE / "results" / f"aiohttp-lane-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
    target.write_text(json.dumps({"facts": facts, "medians": lines, "rounds": rounds}, indent=1) + "\n")
    print(f"written: {target.relative_to(HERE.parent)}")
    for name, value in lines.items():
        print(f"{name}: {value:.2f}")


@contextmanager
def _archway(state: Path, upstream: str) -> Iterator[Side]:
    """The product, with one gateway whose `echo` goes to the stub with a static credential."""
    archway = str(Path(sys.executable).with_name("archway"))
    where = ["--state", str(state)]
    ports = ["--proxy-port", "0", "--control-port", "0", "--workers", "1", "--no-demo", "--detach"]
    subprocess.run([archway, "up", *where, *ports], check=True, stdout=subprocess.DEVNULL, timeout=120)
    try:
        up = json.loads((state / "up.json").read_text())
        api = AdminApi(up["control_url"], up["admin_token"])
        token = _gateway(api, upstream)
        yield Side("archway", f"{up['proxy_url']}/v1/mcp/bench", token, "bench__echo", up["pids"]["proxy"])
    finally:
        subprocess.run([archway, "down", *where], check=False, stdout=subprocess.DEVNULL, timeout=60)


def _gateway(api: AdminApi, upstream: str) -> str:
    """Everything on: visibility, credential, allowlist, record. Tokens of the callers, comma-separated."""
    placement = {"style": "bearer"}
    entry = api.post(
        "/entries",
        {
            "slug": "bench",
            "name": "Bench",
            "url": upstream,
            "credential_model": "static",
            "credential_placement": placement,
        },
    )
    install: dict[str, Any] = {"entry_id": entry["id"], "scope": "organisation", "credential": "upstream-secret"}
    installation = api.post("/installations", install)
    gateway = api.post("/gateways", {"slug": "bench", "name": "Bench", "header_allowlist": ["x-tenant"]})
    assign = {"entry": entry["id"], "installation": installation["id"], "tools": ["*"]}
    api.post(f"/gateways/{gateway['id']}/assignments", assign)
    # Several callers: one alone may take only half of the places at an upstream.
    return ",".join(_caller(api, number) for number in range(CALLERS))


def _caller(api: AdminApi, number: int) -> str:
    person = api.post("/users", {"name": f"Caller {number}", "email": f"c{number}@bench.invalid", "role": "member"})
    return str(api.post("/tokens", {"name": "bench", "kind": "user", "user_id": person["id"]})["secret"])


@contextmanager
def _nginx(binary: str, folder: Path, stub_port: int) -> Iterator[Side]:
    """nginx as a bare reverse proxy: keep-alive on both sides, no log, one worker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (HERE / "nginx.conf").read_text().replace("UPSTREAM_PORT", str(stub_port)).replace("PORT", str(port))
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([binary, "-p", str(folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Side("nginx", f"http://127.0.0.1:{port}/", "none", "echo", [process.pid, *map(int, children)])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A module of the bench that prints its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def _cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


if __name__ == "__main__":
    main()
