"""Many idle streams: what they keep in memory, what they cost while nothing happens, and calls beside them."""

import time

from bench.cpu import cpu_seconds, resident_mib
from bench.processes import generating, told
from bench.rows.found import Found
from bench.sides import archway_side, lane_of
from bench.stand import Case, Stand

_IDLE_S = 5.0
BESIDE, WITHOUT = "beside_streams", "without_streams"


def streams(stand: Stand) -> Found:
    """GET streams of legacy sessions, on a proxy of its own, so that its memory before the first is known."""
    return _held(stand, "streams", "tools/call")


def listening(stand: Stand) -> Found:
    """Streams of modern clients that listen for news of lists, measured in the same way."""
    return _held(stand, "listening", "subscriptions/listen")


def _held(stand: Stand, kind: str, method: str) -> Found:
    wanted = stand.plan.streams
    with archway_side(stand.running, BESIDE, lane_of(stand.ours.name)) as side:
        orders = stand.orders()
        without = stand.alternate([Case(WITHOUT, side, orders)])
        empty = resident_mib(side.pids)
        with generating("bench.streams", side.ordered(stand.orders(connections=wanted, method=method))) as holding:
            opened = told(holding)
            if opened["failed"]:
                stand.notes.append(f"{opened['failed']} of {wanted} streams did not open: {opened['example']!r}")
            full = resident_mib(side.pids)
            idle = _idle_share(side.pids, min(_IDLE_S, stand.plan.seconds))
            beside = stand.alternate([Case(BESIDE, side, orders)])
            assert holding.stdin is not None
            holding.stdin.close()
            after = told(holding)
    seen = {**without.seen, **beside.seen, "opened": opened, "after": after}
    if after["lost"]:
        stand.notes.append(f"{after['lost']} streams were ended by the proxy while calls went on beside them.")
    cost = beside.median(BESIDE, "cpu_us_per_call") / without.median(WITHOUT, "cpu_us_per_call")
    lines = {
        f"{kind}_open": float(opened["open"]),
        f"{kind}_resident_mib": full,
        f"{kind}_added_mib": full - empty,
        f"{kind}_kib_each": 1024 * (full - empty) / max(opened["open"], 1),
        f"{kind}_idle_cpu_percent": 100 * idle,
        f"{kind}_opened_per_second": opened["open"] / max(opened["took_s"], 1e-9),
        f"{kind}_lost": float(after["lost"]),
        f"beside_{kind}_ratio": cost,
    }
    every = without.lines() | beside.lines()
    return Found(lines | {name.replace("streams", kind): value for name, value in every.items()}, seen)


def _idle_share(pids: list[int], seconds: float) -> float:
    """Of one core, while nobody calls."""
    before, began = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pids) - before) / (time.monotonic() - began)
