"""Ten thousand callers by three ways: what the first call of each costs, and what a worker keeps of them."""

import re
import time
import urllib.request
from contextlib import ExitStack
from typing import Any, Final

from bench.callers import WAYS, ByWay, callers
from bench.cpu import cpu_seconds, in_front, resident_mib
from bench.processes import generate
from bench.rows.found import Found
from bench.sides import Side, WrongAnswers, archway_side, lane_of
from bench.stand import Case, Rounds, Stand

FEW: Final = 300
_FIRST_AT_ONCE: Final = 16
"""Connections on which everybody comes for the first time: control answers as many questions at once."""
_NO_BUDGET: Final = {"ARCHWAY_UNKNOWN_PER_SECOND": "100000"}
_COUNTED: Final = re.compile(r"^archway_(\w+)_total(\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_TOLD_S: Final = 1.5
"""A worker tells its counters once a second."""


def many_callers(stand: Stand) -> Found:
    """First calls by each way; then rounds of all callers in turn with rounds of few, and of each way alone.

    `..._planned_share` is how many calls went by a plan: those whose caller the worker knew by the bytes alone.
    `..._cached_share` is how many verdicts were at hand, of those that were asked for.
    """
    name = "many_callers"
    with ExitStack() as ending:
        by_way = ending.enter_context(callers(stand.running, stand.plan.many_callers))
        lane = lane_of(stand.ours.name)
        side = ending.enter_context(archway_side(stand.running, name, lane, settings=_NO_BUDGET))
        with in_front(pid for pids in stand.running.behind.values() for pid in pids):
            lines, seen = _first_calls(stand, side, by_way)
        rounds = _rounds(stand, side, by_way)
        shares = _shares(stand, side, by_way)
        lines["many_callers_resident_mib"] = resident_mib(side.pids)
    all_of_them = sum(len(tokens) for tokens in by_way.tokens.values())
    lines["many_callers"] = float(all_of_them)
    added = lines["many_callers_resident_mib"] - lines.pop("resident_before_mib")
    lines["many_callers_kib_each"] = 1024 * added / all_of_them
    for case in rounds.seen:
        if case != "few":
            lines[f"many_callers_{case}_ratio_to_few"] = rounds.ratio(case, "few")
    lines |= shares | {f"many_callers_{line}": value for line, value in rounds.lines().items()}
    return Found(lines, {"first": seen, **rounds.seen})


def _first_calls(stand: Stand, side: Side, by_way: ByWay) -> tuple[dict[str, float], dict[str, Any]]:
    """One call of everybody, way after way: what it costs whom."""
    lines, seen = {"resident_before_mib": resident_mib(side.pids)}, {}
    behind = stand.running.behind
    for way, tokens in by_way.tokens.items():
        orders = stand.orders(
            targets=[by_way.target],
            tokens=tokens,
            connections=_FIRST_AT_ONCE,
            calls=len(tokens),
            seconds=60.0 + len(tokens) / 50,
        )
        before = {"proxy": cpu_seconds(side.pids)} | {who: cpu_seconds(pids) for who, pids in behind.items()}
        found = generate("bench.load", side.ordered(orders))
        time.sleep(_TOLD_S)
        after = {"proxy": cpu_seconds(side.pids)} | {who: cpu_seconds(pids) for who, pids in behind.items()}
        if found["wrong"] or found["lost"] or found["calls"] < len(tokens):
            raise WrongAnswers(f"first calls by {way}: {found['calls']} of {len(tokens)}; {found['example']!r}")
        for who, used in after.items():
            lines[f"many_callers_first_{way}_{who}_us"] = 1e6 * (used - before[who]) / found["calls"]
        lines[f"many_callers_first_{way}_p50_ms"] = found["p50_ms"]
        lines[f"many_callers_first_{way}_p99_ms"] = found["p99_ms"]
        seen[way] = found
    return lines, seen


def _rounds(stand: Stand, side: Side, by_way: ByWay) -> Rounds:
    """Few callers of one way, all callers, and all of each way."""
    shown = {"few": by_way.tokens[WAYS[0]][:FEW], "all": by_way.mixed, **by_way.tokens}
    cases = [Case(name, side, stand.orders(targets=[by_way.target], tokens=tokens)) for name, tokens in shown.items()]
    return stand.alternate(cases)


def _shares(stand: Stand, side: Side, by_way: ByWay) -> dict[str, float]:
    """How much of what all callers need was at hand, over one round that begins with all of them."""
    orders = stand.orders(targets=[by_way.target], tokens=by_way.mixed, seconds=stand.plan.seconds)
    _ = generate("bench.load", side.ordered(orders))
    time.sleep(_TOLD_S)
    before = counted(side.metrics_url)
    found = generate("bench.load", side.ordered(orders))
    if found["wrong"] or found["lost"] or not found["calls"]:
        raise WrongAnswers(f"calls of all: {found['wrong']} wrong, {found['lost']} lost; {found['example']!r}")
    time.sleep(_TOLD_S)
    grew = {name: value - before.get(name, 0.0) for name, value in counted(side.metrics_url).items()}
    planned = sum(value for name, value in grew.items() if name.startswith("planned_calls"))
    verdicts = {
        name: value for name, value in grew.items() if name.startswith("cache_uses") and 'cache="verdicts"' in name
    }
    return {
        "many_callers_planned_share": _share(grew, "planned_calls", 'plan="kept"', planned),
        "many_callers_cached_share": sum(
            _share(verdicts, "cache_uses", f'result="{result}"', sum(verdicts.values()))
            for result in ("hit", "planned")
        ),
        "many_callers_refreshes": sum(value for name, value in grew.items() if name.startswith("refreshes")),
    }


def _share(grew: dict[str, float], metric: str, label: str, of: float) -> float:
    kept = sum(value for name, value in grew.items() if name.startswith(metric) and label in name)
    return kept / max(of, 1.0)


def counted(metrics_url: str) -> dict[str, float]:
    """All counters of a proxy, by name and labels."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(metrics_url, timeout=10) as answer:
        text = answer.read().decode()
    return {f"{name}{labels}": float(value) for name, labels, value in _COUNTED.findall(text)}
