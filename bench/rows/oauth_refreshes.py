"""Refresh tokens that control takes on one core, and how long a client waits at 200 a second."""

import uvloop

from bench.oauth_refreshes import measured
from bench.rows.found import Found
from bench.stand import Stand

GRANTS_A_SECOND = 100
"""For each second of load, so that nobody refreshes more often than a client may."""


def oauth_refreshes(stand: Stand) -> Found:
    """`oauth_refreshes_most_per_second` in a closed loop, `oauth_refreshes_p99_ms` in an open one."""
    seconds = 2 * stand.plan.seconds
    lines = uvloop.run(measured(stand.running, grants=max(300, int(GRANTS_A_SECOND * seconds)), seconds=seconds))
    return Found(lines, lines)
