"""How long and how large: from the environment, so that a laptop's short look and a full run are one program.

`BENCH_SHORT=1` is a run of less than five minutes with the headline rows; every other variable wins over it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

HEADLINE = ("headline", "connections", "gateways", "tools", "stages", "in_process")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how large one run of the bench is."""

    rows: tuple[str, ...]
    """Empty: all."""
    rounds: int
    """Of the headline; other rows take about half as many."""
    seconds: float
    """Of each round of the headline; other rows take less."""
    callers: int
    """Each with a token of their own: one alone may take a quarter of a worker's calls and half of the places at a
    server."""
    gateways: int
    gateway_tools: int
    many_tools: int
    many_callers: int
    """By three ways of authenticating."""
    streams: int
    overload_seconds: float
    pin: bool
    """Keep the proxy's side on one core, and load and servers on the others."""

    @property
    def few_rounds(self) -> int:
        """Rounds of a row that is not the headline."""
        return max(1, (self.rounds + 1) // 2)

    @property
    def few_seconds(self) -> float:
        """Seconds of such a round."""
        return 0.6 * self.seconds


def plan_of(environment: Mapping[str, str] = os.environ) -> Plan:
    """Read it; a wrong number raises ValueError that names it."""
    short = environment.get("BENCH_SHORT", "") not in {"", "0"}

    def number(name: str, full: float, in_short: float) -> float:
        text = environment.get(name, "")
        try:
            value = float(text) if text else (in_short if short else full)
        except ValueError:
            raise ValueError(f"{name} must be a number; got {text!r}") from None
        if value <= 0:
            raise ValueError(f"{name} must be above 0; got {text!r}")
        return value

    named = tuple(name for name in environment.get("BENCH_ROWS", "").replace(",", " ").split() if name)
    return Plan(
        rows=named or (HEADLINE if short else ()),
        rounds=int(number("BENCH_ROUNDS", 5, 3)),
        seconds=number("BENCH_SECONDS", 5, 3),
        callers=int(number("BENCH_CALLERS", 500, 100)),
        gateways=int(number("BENCH_GATEWAYS", 1000, 100)),
        gateway_tools=int(number("BENCH_GATEWAY_TOOLS", 50, 50)),
        many_tools=int(number("BENCH_MANY_TOOLS", 1000, 1000)),
        many_callers=int(number("BENCH_MANY_CALLERS", 10_000, 1_000)),
        streams=int(number("BENCH_STREAMS", 10_000, 1_000)),
        overload_seconds=number("BENCH_OVERLOAD_SECONDS", 20, 6),
        pin=environment.get("BENCH_PIN", "1") != "0" and (os.cpu_count() or 1) > 1,
    )
