"""One server that answers after 10 s, called 500 times a second, among healthy ones: their waits should not move."""

from bench.processes import generating, told
from bench.rows.found import Found
from bench.sides import archway_side, lane_of, measured, warm
from bench.stand import Rounds, Stand

ANSWERS_AFTER_S = 10.0
RATE = 500.0
ALONE, BESIDE = "healthy_alone", "healthy_beside_slow"


def slow_upstream(stand: Stand) -> Found:
    """Half of the healthy rounds alone, half beside the slow one; the limit of calls at one server is the usual."""
    usual = {"ARCHWAY_CALLS_PER_UPSTREAM": "100"}
    rounds, seconds = stand.plan.few_rounds, stand.plan.few_seconds
    with archway_side(stand.running, "bulkheads", lane_of(stand.ours.name), settings=usual) as side:
        healthy = stand.orders()
        warm(side, healthy)
        warm(side, stand.orders(targets=[stand.running.slow]))  # no call comes before the news of its gateway
        alone = [measured(side, healthy) for _ in range(rounds)]
        lasts = max(2.0, rounds * (seconds + 2.5))
        slow = stand.orders(
            targets=[stand.running.slow],
            connections=2_000,
            arguments={"wait": min(ANSWERS_AFTER_S, 2 * stand.plan.seconds)},
            phases=[(RATE, lasts)],
            seconds=0,
        )
        with generating("bench.open_load", side.ordered(slow)) as going:
            assert going.stdin is not None
            going.stdin.close()  # it reads all of it, then begins
            beside = [measured(side, healthy) for _ in range(rounds)]
            seen = told(going)
    found = Rounds({ALONE: alone, BESIDE: beside})
    slow_seconds = seen["seconds"]
    lines = {
        "slow_beside_p99_ratio": found.ratio(BESIDE, ALONE, "p99_ms"),
        "slow_beside_throughput_ratio": found.ratio(BESIDE, ALONE, "calls_per_second"),
        "slow_calls_refused": float(sum(one["refused"] for one in slow_seconds)),
        "slow_refused_p99_ms": max((one["refused_p99_ms"] for one in slow_seconds), default=0.0),
        "slow_calls_wrong": float(sum(one["wrong"] for one in slow_seconds)),
    }
    return Found(lines | found.lines(), {**found.seen, "slow": seen})
