"""What one governed call costs in user space, in one process: `python -m bench.in_process`, or `make bench-quick`.

A warm worker between callers and servers that are not there (`bench/rig.py`): everything but kernel and event loop,
from the caller's bytes to the record. Microseconds are the least of many batches, since what the machine does
besides only ever adds; so they repeat within a few percent where a figure under load does not. `--form` takes `json`
(the default), `stream` (answers as event streams, in three pieces as servers write them), `legacy` (callers in a
session, with JSON). `--server legacy` is a server of the legacy era, with a session for each caller. `--tells`
measures besides what it costs to tell the server who calls, and each request's identifier, in turn with calls of
which nothing is told. `--compiled` takes what `make compiled` made. `--profile` prints a profile by function
instead, whose figures tell shares and not costs.
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import statistics
import sys
from collections.abc import Callable
from typing import Any, Final

import uvloop

from bench.compiled import begin_again
from bench.installations import Gets
from bench.rig import Rig
from core import compiled_form
from core.mcp.versions import Era
from proxy.garbage import collect_seldom

FORMS: Final = ("json", "stream", "legacy")


async def measured(
    form: str, batches: int, environment: dict[str, Any], server: Era, gets: tuple[Gets, ...] = ("key",)
) -> list[list[float]]:
    """Microseconds a call, by batch, for each of `gets`."""
    rigs = [Rig(form, environment, server=server, gets=one) for one in gets]
    for rig in rigs:
        for _ in range(20):
            rig.batch()
    gc.collect()
    gc.freeze()
    costs: list[list[float]] = [[] for _ in rigs]
    for _ in range(batches):
        for rig, kept in zip(rigs, costs, strict=True):
            kept.append(rig.batch())
        await asyncio.sleep(0)
    return costs


async def _profiled(form: str, environment: dict[str, Any], server: Era) -> None:
    rig = Rig(form, environment, server=server)
    for _ in range(20):
        rig.batch()
    with cProfile.Profile() as profile:
        for _ in range(20):
            rig.batch()
    pstats.Stats(profile).sort_stats("tottime").print_stats(70)


def main() -> None:
    """The program: prints `in_process_FORM_us: least`, and medians beside it."""
    parser = argparse.ArgumentParser(prog="python -m bench.in_process", description=__doc__.partition("\n")[0])
    parser.add_argument("--form", choices=FORMS, action="append", help="of calls; may stand several times")
    parser.add_argument("--server", choices=[era.name.lower() for era in Era], default="modern", help="of which era")
    parser.add_argument("--batches", type=int, default=100, help="of 320 calls each")
    parser.add_argument("--without-plans", action="store_true", help="every call through all stages")
    parser.add_argument("--tells", action="store_true", help="beside it, with what a server is told of callers")
    parser.add_argument("--compiled", action="store_true", help="with the modules that `make compiled` made")
    parser.add_argument("--profile", action="store_true")
    if (told := parser.parse_args()).compiled and not compiled_form.is_used():
        begin_again("bench.in_process")
    environment: dict[str, Any] = {"plans": False} if told.without_plans else {}
    collect_seldom()
    server = Era[told.server.upper()]
    loops: Callable[..., Any] = uvloop.run
    for form in told.form or ("json",):
        if told.profile:
            loops(_profiled(form, environment, server))
            continue
        gets: tuple[Gets, ...] = ("key", "told") if told.tells else ("key",)
        found = loops(measured(form, told.batches, environment, server, gets))
        for name, costs in zip((form, f"{form}_that_tells"), found, strict=False):
            print(f"in_process_{name}_us: {min(costs):.2f}")
            print(f"in_process_{name}_median_us: {statistics.median(costs):.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
