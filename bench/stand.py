"""What every row is given: the sides, the usual orders, and rounds that alternate so that noise is noise for all."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.deployment import Deployment
from bench.orders import Orders
from bench.plan import Plan
from bench.sides import Side, measured, warm

CONNECTIONS = 64
FIGURES = ("cpu_us_per_call", "calls_per_second", "p50_ms", "p99_ms")


@dataclass(frozen=True)
class Case:
    """One of the things that a row compares."""

    name: str
    side: Side
    orders: Orders


@dataclass(frozen=True)
class Rounds:
    """What was seen, by case, one figure set for each round."""

    seen: dict[str, list[dict[str, Any]]]

    def median(self, case: str, figure: str) -> float:
        """Over the rounds."""
        return float(statistics.median(one[figure] for one in self.seen[case]))

    def ratio(self, case: str, to: str, figure: str = "cpu_us_per_call") -> float:
        """Median of the ratios of rounds that stood side by side."""
        pairs = zip(self.seen[case], self.seen[to], strict=True)
        return float(statistics.median(one[figure] / other[figure] for one, other in pairs))

    def lines(self, prefix: str = "") -> dict[str, float]:
        """Every median, named `<prefix><case>_<figure>`."""
        return {f"{prefix}{case}_{figure}": self.median(case, figure) for case in self.seen for figure in FIGURES}


@dataclass
class Stand:
    """The sides that stand under load during a run, and the usual orders for them."""

    plan: Plan
    running: Deployment
    fast: Side | None
    aiohttp: Side
    nginx: Side | None
    notes: list[str] = field(default_factory=list)
    """Sentences about what was left out, for the report."""

    @property
    def ours(self) -> Side:
        """The side that rows other than the headline look at: the fast lane, where there is one."""
        return self.fast or self.aiohttp

    @property
    def sides(self) -> list[Side]:
        """All, ours first."""
        return [side for side in (self.fast, self.nginx, self.aiohttp) if side is not None]

    def orders(self, **changes: Any) -> Orders:
        """The usual ones: 64 connections, one gateway with one tool, all callers."""
        usual: dict[str, Any] = {
            "url": "",
            "targets": [self.running.plain],
            "tokens": self.running.tokens,
            "connections": CONNECTIONS,
            "seconds": self.plan.few_seconds,
        }
        return Orders(**(usual | changes))

    def warm(self, cases: Sequence[Case]) -> None:
        """Let every side meet what it will be asked for."""
        for case in cases:
            warm(case.side, case.orders)

    def alternate(self, cases: Sequence[Case], rounds: int | None = None, *, are_warm: bool = False) -> Rounds:
        """A, B, A, B ...; every case is warm before the first round."""
        if not are_warm:
            self.warm(cases)
        seen: dict[str, list[dict[str, Any]]] = {case.name: [] for case in cases}
        for _ in range(rounds or self.plan.few_rounds):
            for case in cases:
                figures = measured(case.side, case.orders)
                seen[case.name].append(figures)
                _say(case.name, figures)
        return Rounds(seen)


def _say(name: str, figures: dict[str, Any]) -> None:
    cost, rate = figures["cpu_us_per_call"], figures["calls_per_second"]
    waits = f"p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms"
    asked = ""
    if figures["refreshes"]:
        asked = f", {figures['refreshes']} refreshes in {figures['refresh_questions']} questions"
    print(f"  {name:24} {cost:7.1f} us CPU a call, {rate:7.0f} calls/s, {waits}{asked}", flush=True)
