"""The governed call beside a bare proxy: authentication, visibility, policy, credential, allowlist, count, record."""

from bench.cpu import cpu_seconds
from bench.rows.found import Found
from bench.stand import Case, Stand


def headline(stand: Stand) -> Found:
    """`ratio_to_nginx` and `ratio_to_aiohttp_lane` are medians of ratios of the CPU of one call."""
    orders = stand.orders(seconds=stand.plan.seconds)
    before = cpu_seconds(stand.running.behind)
    rounds = stand.alternate([Case(side.name, side, orders) for side in stand.sides], stand.plan.rounds)
    behind = cpu_seconds(stand.running.behind) - before
    lines = rounds.lines()
    for side in stand.sides:
        lines[f"{side.name}_resident_mib"] = max(one["resident_mib"] for one in rounds.seen[side.name])
    ours, nginx = stand.ours.name, stand.nginx
    governed = sum(one["calls"] for side in stand.sides if side is not nginx for one in rounds.seen[side.name])
    lines["control_database_redis_cpu_us_per_call"] = 1e6 * behind / governed
    if ours != stand.aiohttp.name:
        lines["ratio_to_aiohttp_lane"] = rounds.ratio(ours, stand.aiohttp.name)
    if nginx is not None:
        lines["ratio_to_nginx"] = rounds.ratio(ours, nginx.name)
        if stand.fast is not None:
            lines["aiohttp_lane_ratio_to_nginx"] = rounds.ratio(stand.aiohttp.name, nginx.name)
    return Found(lines, rounds.seen)
