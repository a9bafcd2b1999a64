"""Rows that should cost what the plain call costs: each is measured in turn with it, and told as a ratio."""

from contextlib import ExitStack

from bench.nginx import BINARY, nginx_before
from bench.rows.found import Found
from bench.sides import archway_side, lane_of
from bench.stand import Case, Stand

GET_EVERY = 100
PLAIN = "plain"


def gateways(stand: Stand) -> Found:
    """Calls spread evenly over 1 and over 1,000 loaded gateways of 50 tools."""
    loaded = stand.running.loaded
    one, all_of_them = "one_loaded_gateway", f"{len(loaded)}_loaded_gateways"
    targets = {one: loaded[:1], all_of_them: loaded}
    cases = [Case(name, stand.ours, stand.orders(targets=some)) for name, some in targets.items()]
    return _compared(stand, [_plain(stand), *cases], {"ratio_of_many_gateways_to_one": (all_of_them, one)})


def tools(stand: Stand) -> Found:
    """1 and 1,000 tools on a gateway."""
    name = f"{stand.plan.many_tools}_tools"
    case = Case(name, stand.ours, stand.orders(targets=[stand.running.many_tools]))
    return _compared(stand, [_plain(stand), case], {"ratio_of_many_tools_to_one": (name, PLAIN)})


def gets(stand: Stand) -> Found:
    """1 % GETs among the calls, half of them for a page that only the aiohttp lane serves."""
    case = Case("one_percent_gets", stand.ours, stand.orders(get_every=GET_EVERY))
    return _compared(stand, [_plain(stand), case])


def front(stand: Stand) -> Found:
    """A keep-alive reverse proxy before ours, without and with GETs; the cost is ours alone."""
    if BINARY is None:
        stand.notes.append("nginx is not installed: the row `front` was left out (apt-get install nginx).")
        return Found({})
    with nginx_before(stand.ours) as before:
        cases = [
            Case("behind_nginx", before, stand.orders()),
            Case("behind_nginx_with_gets", before, stand.orders(get_every=GET_EVERY)),
        ]
        return _compared(stand, [_plain(stand), *cases])


def workers(stand: Stand) -> Found:
    """1 and 2 workers. They share the machine with load and server, so this tells cost more than capacity."""
    lane = lane_of(stand.ours.name)
    with ExitStack() as ending:
        two = ending.enter_context(archway_side(stand.running, "two", lane, workers=2))
        return _compared(stand, [_plain(stand), Case("two_workers", two, stand.orders())])


def _plain(stand: Stand) -> Case:
    return Case(PLAIN, stand.ours, stand.orders())


def _compared(stand: Stand, cases: list[Case], pairs: dict[str, tuple[str, str]] | None = None) -> Found:
    rounds = stand.alternate(cases)
    lines = {f"{case.name}_ratio_to_plain": rounds.ratio(case.name, PLAIN) for case in cases if case.name != PLAIN}
    for name, (one, other) in (pairs or {}).items():
        lines[name] = rounds.ratio(one, other)
    every = rounds.lines()
    return Found(lines | {name: every[name] for name in every if not name.startswith(PLAIN)}, rounds.seen)
