"""The governed call beside a bare proxy: authentication, visibility, policy, credential, allowlist, count, record."""

import time
from typing import Final

from bench.cpu import cpu_seconds
from bench.rows.found import Found
from bench.stand import Case, Stand

_KEPT_WITHIN_S: Final = 1.5


def headline(stand: Stand) -> Found:
    """`ratio_to_nginx` and `ratio_to_aiohttp_lane` are medians of ratios of the CPU of one call.

    What a call costs is told apart: in the proxy, and behind it in control, PostgreSQL and Redis. So is what was
    asked again beside the calls of a round: callers that began together are asked about again at about one time, and
    a round that meets that pays for it.
    """
    orders = stand.orders(seconds=stand.plan.seconds)
    cases = [Case(side.name, side, orders) for side in stand.sides]
    stand.warm(cases)
    before = _used(stand)
    rounds = stand.alternate(cases, stand.plan.rounds, are_warm=True)
    behind = {who: used - before[who] for who, used in _used(stand).items()}
    lines = rounds.lines()
    for side in stand.sides:
        lines[f"{side.name}_resident_mib"] = max(one["resident_mib"] for one in rounds.seen[side.name])
    ours, nginx = stand.ours.name, stand.nginx
    governed = sum(one["calls_in_all"] for side in stand.sides if side is not nginx for one in rounds.seen[side.name])
    lines["proxy_cpu_us_per_call"] = lines[f"{ours}_cpu_us_per_call"]
    for who, used in behind.items():
        lines[f"{who}_cpu_us_per_call"] = 1e6 * used / governed
    lines["refreshes_per_round"] = rounds.median(ours, "refreshes")
    lines["refreshes_of_the_round_with_most"] = max(one["refreshes"] for one in rounds.seen[ours])
    lines["control_database_redis_cpu_us_per_call"] = 1e6 * sum(behind.values()) / governed
    if ours != stand.aiohttp.name:
        lines["ratio_to_aiohttp_lane"] = rounds.ratio(ours, stand.aiohttp.name)
    if nginx is not None:
        lines["ratio_to_nginx"] = rounds.ratio(ours, nginx.name)
        if stand.fast is not None:
            lines["aiohttp_lane_ratio_to_nginx"] = rounds.ratio(stand.aiohttp.name, nginx.name)
    return Found(lines, rounds.seen)


def _used(stand: Stand) -> dict[str, float]:
    """CPU seconds behind the proxy, once the records of the calls before are kept."""
    time.sleep(_KEPT_WITHIN_S)
    return {who: cpu_seconds(pids) for who, pids in stand.running.behind.items()}
