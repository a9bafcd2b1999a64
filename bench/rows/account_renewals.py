"""Hundreds of callers whose tokens at one provider end together: each renewed once, no failed call, and the waits."""

from bench.account_renewals import measured
from bench.rows.found import Found
from bench.sides import lane_of
from bench.stand import Stand

_SHORTEST_LIFE_S = 20.0


def account_renewals(stand: Stand) -> Found:
    """`account_renewals_ahead_...` where the tokens are renewed beside calls, `..._herd_...` where all have ended."""
    life = max(_SHORTEST_LIFE_S, 18 * stand.plan.seconds)
    lines = measured(stand.running, lane_of(stand.ours.name), stand.plan.callers, life)
    return Found(lines, lines)
