"""What callers feel when all their tokens at a provider end together: `python -m bench.account_renewals`.

So many callers, each with an account of their own at one provider, call through a proxy of a deployment; proxy,
control, provider and server are processes of their own. The provider rotates refresh tokens, ends a grant whose old
one comes again, and answers after a while, as one that is far away; the server refuses tokens that have ended. Two
shapes. `ahead`: everybody calls again and again, from before the tokens end until after. `herd`: nobody has called
for days, so all tokens have ended when everybody calls at one moment. A call that fails in any way, or a token that
is not renewed exactly once, fails the run.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from bench.accounts import Ends, Provided, provided
from bench.cpu import in_front, keep_on
from bench.deployment import Deployment, deployment
from bench.orders import Orders, Target
from bench.plan import plan_of
from bench.processes import generate, server
from bench.sides import PROXY_CORE, Side, WrongAnswers, archway_side

CALLERS: Final = 500
LIFE_S: Final = 90.0
"""Of the tokens that end together, from before their people are made. They are due in the second third of it."""
AFTER_S: Final = 10.0
"""For how long everybody goes on after that."""
PAUSE_S: Final = 2.5
"""Between two calls of one caller."""
AWAY_S: Final = 0.05
"""How far away the provider is."""
_DAYS_S: Final = 3 * 86_400.0
_NEW_AT_ONCE: Final = {"ARCHWAY_UNKNOWN_PER_SECOND": "100000"}
"""Everybody may be new to the proxy at once: who they are is not what is measured."""
_FEW: Final = 16
_HERD_WITHIN_S: Final = 90.0


def ahead(at: Provided, side: Side, callers: int, life: float = LIFE_S) -> dict[str, float]:
    """Everybody calls again and again while their tokens are renewed, and after those before have ended."""
    over = time.monotonic() + life + AFTER_S
    tokens = at.people(callers, Ends(ends_in=life, refresh_in=(life / 3, life * 2 / 3)), AWAY_S)
    _called_once(at.resolved, side, tokens)
    left = max(over - time.monotonic(), AFTER_S)
    orders = _orders(at.resolved, tokens, connections=callers, seconds=left, pause=PAUSE_S)
    return _checked("ahead", at, callers, generate("bench.load", side.ordered(orders)))


def herd(at: Provided, side: Side, callers: int, known_by: Target) -> dict[str, float]:
    """Everybody calls once, at one moment, long after their tokens have ended. The proxy knows who they are, by a
    call of another tool (`known_by`)."""
    ends = Ends(ends_in=-_DAYS_S, refresh_in=(-_DAYS_S, -_DAYS_S), used_ago=_DAYS_S)
    tokens = at.people(callers, ends, AWAY_S)
    _called_once(known_by, side, tokens)
    orders = _orders(at.resolved, tokens, connections=callers, seconds=_HERD_WITHIN_S, calls=callers)
    return _checked("herd", at, callers, generate("bench.load", side.ordered(orders)))


def _called_once(target: Target, side: Side, tokens: list[str]) -> None:
    """A first call of each, a few at a time: what it costs to be new is not what is measured."""
    few = min(_FEW, len(tokens))
    orders = _orders(target, tokens, connections=few, seconds=_HERD_WITHIN_S, calls=len(tokens))
    _good("first calls", len(tokens), generate("bench.load", side.ordered(orders)))


def _orders(target: Target, tokens: list[str], **more: Any) -> Orders:
    return Orders(url="", targets=[target], tokens=tokens, **more)


def _good(what: str, callers: int, seen: dict[str, Any]) -> None:
    if seen["wrong"] or seen["lost"] or seen["calls"] < callers:
        raise WrongAnswers(
            f"{what}: {seen['calls']} calls of {callers} callers, of these {seen['wrong']} refused or wrong, and "
            f"{seen['lost']} lost; {seen['example']!r}"
        )


def _checked(shape: str, at: Provided, callers: int, seen: dict[str, Any]) -> dict[str, float]:
    """The figures of a shape in which no call failed, and each token was renewed once."""
    told = at.told()
    renewed = {count: told.renewed.count(count) for count in sorted(set(told.renewed))}
    print(f"  {shape}: renewals by grants {renewed}, {told.reused} reused, {seen['wrong']} calls wrong", flush=True)
    _good(shape, callers, seen)
    if renewed != {1: callers} or told.reused:
        raise WrongAnswers(f"{shape}: renewals by grants are {renewed} and not 1 each; {told.reused} tokens reused")
    figures = {"calls": seen["calls"], "failed": 0.0, "refused_by_server": told.refused}
    figures |= {name: seen[name] for name in ("p50_ms", "p99_ms", "longest_ms")}
    return {f"account_renewals_{shape}_{name}": float(value) for name, value in figures.items()}


SHAPES: Final[dict[str, Callable[[Provided, Side, int, float, Target], dict[str, float]]]] = {
    "ahead": lambda at, side, callers, life, _: ahead(at, side, callers, life),
    "herd": lambda at, side, callers, _, known_by: herd(at, side, callers, known_by),
}


@contextmanager
def _control_in_front(running: Deployment) -> Iterator[None]:
    """Control has a core that it shares with the proxy alone, and gives way to nobody: it is what is measured."""
    behind = running.behind
    others = os.sched_getaffinity(behind["control"][0])
    if running.plan.pin:
        keep_on(behind["control"], [PROXY_CORE])
    try:
        with in_front([pid for pids in behind.values() for pid in pids]):
            yield
    finally:
        keep_on(behind["control"], others)


def measured(
    running: Deployment, lane: str, callers: int, life: float = LIFE_S, shapes: tuple[str, ...] = tuple(SHAPES)
) -> dict[str, float]:
    """`account_renewals_<shape>_...` of each shape. Raises WrongAnswers."""
    lines: dict[str, float] = {"account_renewals_callers": float(callers)}
    with (
        provided(running, "renewals") as at,
        archway_side(running, "renewals", lane, settings=_NEW_AT_ONCE) as side,
        _control_in_front(running),
    ):
        for shape in shapes:
            lines |= SHAPES[shape](at, side, callers, life, running.plain)
    return lines | {"account_renewals_load": os.getloadavg()[0]}


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.account_renewals", description=__doc__.splitlines()[0])
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--life", type=float, default=LIFE_S, help="seconds until the tokens of `ahead` end (90)")
    parser.add_argument("--shape", choices=sorted(SHAPES), action="append", help="one alone; may stand twice")
    options = parser.parse_args(arguments)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, port = ending.enter_context(server("bench.stub_upstream", "0"))
        running = ending.enter_context(deployment(plan_of(), folder / "state", port, port, gives_way=False))
        shapes = tuple(options.shape or SHAPES)
        try:
            lines = measured(running, "fast", options.callers, options.life, shapes)
        except WrongAnswers as wrong:
            print(f"failed: {wrong}")
            return 1
    for name, value in lines.items():
        print(f"{name}: {value:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
