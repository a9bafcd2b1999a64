"""What a governed call costs, as a ratio to a bare proxy measured in the same run: `make bench`.

Starts the product, cheap MCP servers behind it, both lanes and nginx beside each other, and goes through the rows of
`ROWS`. Rounds alternate, so that a noisy machine is noisy for all. CPU is user + system of every process on a side,
read from /proc; figures are medians over the rounds; every call has its own arguments, and every answer is checked.
`bench/plan.py` says what the environment may change; `BENCH_ROWS` chooses rows by name. Ends with `name: value`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.cpu import keep_on
from bench.deployment import deployment
from bench.machine import facts
from bench.nginx import BINARY, bare_nginx
from bench.plan import Plan, plan_of
from bench.processes import server
from bench.report import RESULTS, Report
from bench.rows.account_renewals import account_renewals
from bench.rows.bridge import bridge
from bench.rows.connections import connections
from bench.rows.flatness import front, gateways, gets, tools, workers
from bench.rows.found import Found
from bench.rows.headline import headline
from bench.rows.idle_streams import listening, streams
from bench.rows.in_process import cells, in_process
from bench.rows.many_callers import many_callers
from bench.rows.many_tools import lists, searches
from bench.rows.oauth_refreshes import oauth_refreshes
from bench.rows.overload import overload
from bench.rows.resolved import resolved
from bench.rows.signed_tokens import signed_tokens
from bench.rows.sizes import sizes
from bench.rows.slow_upstream import slow_upstream
from bench.rows.stages import stages
from bench.sides import HAS_LANES, PROXY_CORE, WrongAnswers, archway_side
from bench.stand import Stand

ROWS: Final[dict[str, Callable[[Stand], Found]]] = {
    "headline": headline,  #         the governed call beside nginx and the aiohttp lane, 64 connections
    "connections": connections,  #   1, 16, 64, 256 connections on every side
    "stages": stages,  #             cost of each stage, in one process
    "in_process": in_process,  #     a whole call in user space, in one process: the figure that repeats
    "cells": cells,  #               the same for each client at each server, modern and legacy
    "gateways": gateways,  #         1 and 1,000 loaded gateways of 50 tools
    "tools": tools,  #               1 and 1,000 tools on a gateway
    "lists": lists,  #               pages of `tools/list` of 1,000 tools, beside nginx with the same bytes
    "searches": searches,  #         `search_tools` over 1,000 tools
    "gets": gets,  #                 1 % GETs among the calls
    "front": front,  #               a keep-alive reverse proxy before us
    "workers": workers,  #           1 and 2 workers
    "sizes": sizes,  #               answers of 1, 10 and 100 KB, JSON and event stream
    "streams": streams,  #           10,000 idle streams, and calls beside them
    "listening": listening,  #       the same of modern clients that listen for news
    "signed_tokens": signed_tokens,  # what callers show: warm and first calls, in one process
    "many_callers": many_callers,  #   10,000 callers by three ways: first calls, memory, how caches hold
    "oauth_refreshes": oauth_refreshes,  # refresh tokens that control takes on one core
    "resolved": resolved,  #         a caller's own account beside an installation that all share, warm
    "account_renewals": account_renewals,  # hundreds of tokens at one provider that end together
    "bridge": bridge,  #             the bridge before a server over stdio, and what it does on one core
    "overload": overload,  #         three times saturation, open loop
    "slow": slow_upstream,  #        one slow server among healthy ones
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write, print; 1 where a row saw wrong answers or could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    try:
        plan = plan_of()
    except ValueError as why:
        parser.error(str(why))
    unknown = [name for name in plan.rows if name not in ROWS]
    if unknown:
        parser.error(f"BENCH_ROWS: there is no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    report = Report(facts(plan), options.out)
    began = time.monotonic()
    with _stand(plan) as stand:
        report.notes = stand.notes
        for name in plan.rows or tuple(ROWS):
            _one_row(name, stand, report)
        report.facts["made_s"] = {what: round(took, 1) for what, took in stand.running.made_s.items()}
    report.lines["bench_took_s"] = time.monotonic() - began
    for path in report.write():
        print(f"written: {os.path.relpath(path)}")
    report.print_lines()
    return 1 if report.failed else 0


def _one_row(name: str, stand: Stand, report: Report) -> None:
    print(f"{name}: {(ROWS[name].__doc__ or '').splitlines()[0]}", flush=True)
    began = time.monotonic()
    try:
        found = ROWS[name](stand)
    except (WrongAnswers, RuntimeError, OSError, subprocess.SubprocessError) as why:
        report.failed.append(f"{name}: {why}")
        print(f"  failed: {why}", flush=True)
        return
    report.add(name, found, time.monotonic() - began)


@contextmanager
def _stand(plan: Plan) -> Iterator[Stand]:
    """Everything that stands during the whole run. Load and servers keep off the core of the proxies."""
    if plan.pin:
        keep_on([os.getpid()], set(os.sched_getaffinity(0)) - {PROXY_CORE})
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, stub_port = ending.enter_context(server("bench.stub_upstream", "0"))
        _, slow_port = ending.enter_context(server("bench.stub_upstream", "0"))
        running = ending.enter_context(deployment(plan, folder / "state", stub_port, slow_port))
        notes: list[str] = []
        fast = nginx = None
        if HAS_LANES:
            fast = ending.enter_context(archway_side(running, "fast", "fast"))
        else:
            notes.append("This Archway has no setting ARCHWAY_LANE: only the aiohttp lane was measured.")
        if BINARY is not None:
            nginx = ending.enter_context(bare_nginx(stub_port, pin=plan.pin))
        else:
            notes.append("nginx is not installed, so there is no ratio_to_nginx (apt-get install nginx).")
        aiohttp = ending.enter_context(archway_side(running, "aiohttp", "aiohttp"))
        yield Stand(plan, running, fast, aiohttp, nginx, notes)


if __name__ == "__main__":
    sys.exit(main())
