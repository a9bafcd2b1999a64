"""Where the time of one governed call goes, function by function: `python -m bench.profile_call [--lane fast]`.

A real worker under load from 64 connections, profiled once it is warm. Microseconds are CPU of the worker's thread
(what the machine does besides is not in them) and include what profiling itself costs for each function that is
entered, so they tell shares, not costs: `make bench` tells costs. Called by whoever makes a call cheaper.
"""

import argparse
import cProfile
import os
import pstats
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.deployment import Deployment, deployment
from bench.orders import Orders
from bench.plan import plan_of
from bench.processes import ROOT, end, generate, server
from bench.sides import is_ready

_READY_S, _SHOWN = 20.0, 100
_BEGIN, _END = signal.SIGUSR1, signal.SIGUSR2


def worker(target: str) -> None:
    """A worker that profiles itself from one signal to the next."""
    profile = cProfile.Profile(timer=time.thread_time)

    def finished(*_: object) -> None:
        profile.disable()
        profile.dump_stats(target)

    signal.signal(_BEGIN, lambda *_: profile.enable())
    signal.signal(_END, finished)
    runpy.run_module("proxy.worker", run_name="__main__", alter_sys=True)


def profiled(running: Deployment, lane: str, target: Path, seconds: float) -> int:
    """Load a worker and profile it; the number of calls that the profile saw."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        **running.proxy_environment,
        "ARCHWAY_PROXY_LISTEN": f"127.0.0.1:{port}",
        "ARCHWAY_PROXY_INTERNAL_LISTEN": "127.0.0.1:0",
        "ARCHWAY_DISK_CACHE": "",
        "ARCHWAY_LANE": lane,
        "ARCHWAY_MOST_LAG": "10",  # profiling makes it slow, and a call that is refused tells nothing
    }
    command = [sys.executable, "-m", "bench.profile_call", "--worker", str(target)]
    process = subprocess.Popen(command, cwd=ROOT, env=told)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _READY_S
        while not is_ready(url) and time.monotonic() < until:
            time.sleep(0.1)
        orders = Orders(url, [running.plain], running.tokens, 64, 1.0)
        generate("bench.load", orders)
        process.send_signal(_BEGIN)
        orders.seconds = seconds
        calls = int(generate("bench.load", orders)["calls"])
        process.send_signal(_END)
        while not target.exists():
            time.sleep(0.1)
        time.sleep(0.5)
        return calls
    finally:
        end(process)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile_call", description=__doc__.partition("\n")[0])
    parser.add_argument("--lane", default="fast")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker)
        return
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, port = ending.enter_context(server("bench.stub_upstream", "0"))
        plan = plan_of({"BENCH_CALLERS": "100", **os.environ})
        running = ending.enter_context(deployment(plan, folder / "state", port, port))
        calls = profiled(running, arguments.lane, folder / "profile", arguments.seconds)
        print_shares(pstats.Stats(str(folder / "profile")), calls)


def print_shares(stats: pstats.Stats, calls: int) -> None:
    """Own and whole microseconds a call and entries a call, the most expensive first."""
    rows = []
    for (file, line, name), (_, entered, own, whole, _) in stats.stats.items():  # type: ignore[attr-defined]  # typeshed lacks it
        short = file if file.startswith("~") else "/".join(Path(file).parts[-2:])
        rows.append((1e6 * own / calls, 1e6 * whole / calls, entered / calls, f"{short}:{line} {name}"))
    rows.sort(reverse=True)
    print(f"{calls} calls, {sum(row[0] for row in rows):.1f} us of CPU each while profiled")
    print(f"{'own us':>8} {'whole us':>9} {'entered':>8}")
    for own, whole, entered, what in rows[:_SHOWN]:
        print(f"{own:8.2f} {whole:9.2f} {entered:8.2f}  {what}")


if __name__ == "__main__":
    main()
