"""A warm call with an account of the caller's own, resolved at call time, beside one with a pinned installation."""

from typing import Final

from bench.accounts import Ends, provided
from bench.cpu import in_front
from bench.provider import LIFE_S
from bench.rows.found import Found
from bench.stand import Case, Stand

_LIVES: Final = Ends(ends_in=LIFE_S, refresh_in=(LIFE_S / 2, LIFE_S))


def resolved(stand: Stand) -> Found:
    """`resolved_ratio_to_pinned` is the median of ratios of the CPU of one call, `..._p50_ratio_...` of its time.

    The server, its provider, the callers and everything else are the same; hundreds of accounts act in place of one.
    """
    with provided(stand.running, "own") as at:
        tokens = at.people(stand.plan.callers, _LIVES)
        cases = [
            Case("pinned", stand.ours, stand.orders(targets=[at.pinned], tokens=tokens)),
            Case("resolved", stand.ours, stand.orders(targets=[at.resolved], tokens=tokens)),
        ]
        with in_front(pid for pids in stand.running.behind.values() for pid in pids):
            stand.warm(cases)
        rounds = stand.alternate(cases, stand.plan.rounds, are_warm=True)
    lines = {
        "resolved_ratio_to_pinned": rounds.ratio("resolved", "pinned"),
        "resolved_p50_ratio_to_pinned": rounds.ratio("resolved", "pinned", "p50_ms"),
    }
    return Found(lines | rounds.lines("accounts_"), rounds.seen)
