"""What a call costs in the bridge before a server that we run, which must serve 5,000 a second on one core."""

from bench.bridge import measured
from bench.rows.found import Found
from bench.stand import Stand


def bridge(stand: Stand) -> Found:
    """`bridge_us` of its CPU for each call, and what follows: `bridge_calls_per_core_second`."""
    lines = measured(stand.plan.seconds)
    return Found(lines, lines)
