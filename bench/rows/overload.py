"""Three times what the worker can do, in an open loop: is the excess refused soon, and does the good go on?"""

from typing import Any

from bench.processes import generate
from bench.rows.found import Found
from bench.sides import archway_side, lane_of, measured, warm
from bench.stand import Stand
from proxy.limits.overload import MOST_LAG_S

TIMES = 3.0
BEFORE_S, AFTER_S, NORMAL_WITHIN_S = 3.0, 10.0, 5
_CONNECTIONS = 4_000


def overload(stand: Stand) -> Found:
    """Half of saturation, then three times, then half again; the proxy has its own limits, not the bench's."""
    usual = {"ARCHWAY_CALLS_PER_UPSTREAM": "100", "ARCHWAY_MOST_LAG": f"{MOST_LAG_S:g}"}
    with archway_side(stand.running, "overloaded", lane_of(stand.ours.name), settings=usual) as side:
        orders = stand.orders(seconds=stand.plan.few_seconds)
        warm(side, orders)
        saturation = max(1.0, measured(side, orders)["calls_per_second"])  # none, in a short run on a busy machine
        during_s = stand.plan.overload_seconds
        phases = [(saturation / 2, BEFORE_S), (TIMES * saturation, during_s), (saturation / 2, AFTER_S)]
        if stand.plan.seconds < 2:
            phases = [(rate, min(length, 2.0)) for rate, length in phases]
        asked = stand.orders(seconds=0, connections=_CONNECTIONS, phases=phases)
        seen = generate("bench.open_load", side.ordered(asked))
    return Found(_told(stand, seen, saturation, [round(length) for _, length in phases]), seen)


def _told(stand: Stand, seen: dict[str, Any], saturation: float, lengths: list[int]) -> dict[str, float]:
    seconds: list[dict[str, float]] = seen["seconds"]
    before, during = seconds[: lengths[0]], seconds[lengths[0] : lengths[0] + lengths[1]]
    after = seconds[lengths[0] + lengths[1] :]
    offered = _mean(during, "sent") / saturation
    if offered < 0.9 * TIMES:
        stand.notes.append(
            f"The generator offered {offered:.1f} times saturation, not {TIMES:.0f}: it shares this machine's cores "
            "with the server, or every connection was waiting for its answer."
        )
    wrong = sum(one["wrong"] for one in seconds)
    if wrong:
        stand.notes.append(f"Overload: {wrong:.0f} answers were neither good nor a refusal: {seen['example']!r}")
    usual = max((one["good_p99_ms"] for one in before[1:] or before), default=0.0)
    return {
        "overload_saturation_calls_per_second": saturation,
        "overload_offered_times_saturation": offered,
        "overload_good_share_of_saturation": _mean(during, "good") / saturation,
        "overload_good_p99_ms": max((one["good_p99_ms"] for one in during), default=0.0),
        "overload_refused_per_second": _mean(during, "refused"),
        "overload_refused_within_50_ms": _mean(during, "refused_soon") / max(_mean(during, "refused"), 1),
        "overload_refused_p50_ms": max((one["refused_p50_ms"] for one in during), default=0.0),
        "overload_refused_p99_ms": max((one["refused_p99_ms"] for one in during), default=0.0),
        "overload_generator_late_p99_ms": max((one["sent_late_p99_ms"] for one in during), default=0.0),
        "overload_unanswered": sum(one["unanswered"] for one in seconds),
        "overload_wrong": wrong,
        "overload_before_p99_ms": usual,
        "overload_normal_after_s": float(_normal_after(after, usual)),
    }


def _normal_after(after: list[dict[str, float]], usual_ms: float) -> int:
    """The first second from which on nothing is refused and waits are at most twice what they were."""
    for number, _ in enumerate(after):
        rest = after[number:]
        if all(one["refused"] == 0 and one["good_p99_ms"] <= max(2 * usual_ms, 5.0) for one in rest):
            return number
    return len(after)


def _mean(seconds: list[dict[str, float]], name: str) -> float:
    return sum(one[name] for one in seconds) / max(len(seconds), 1)
