"""Control's numbers as Prometheus reads them (text exposition format 0.0.4). Pure; `control/http/metrics.py` asks."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from control.telemetry.metrics import (
    BOUNDS,
    DURATIONS,
    EGRESS,
    EXCHANGES,
    FAILING,
    RENEWALS,
    RESTARTS,
    SERVERS,
    UNDER_WAY,
    WAITING,
    ExchangeOutcome,
    Metric,
)
from control.telemetry.renewal_counts import RenewalCounts

MOST_STANDINGS: Final = 1_000
"""Lines of environments: more are left out."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposed(
    counts: RenewalCounts,
    under_way: int,
    failing: int | None,
    waiting: int | None,
    servers: Mapping[str, int] | None = None,
    restarts: int | None = None,
    exchanges: Mapping[ExchangeOutcome, int] | None = None,
    egress: Sequence[tuple[str, str, int]] = (),
) -> str:
    """The text. What is None is not known now, and left out. `servers`: those that Archway runs, by phase;
    `exchanges`: of tokens for callers, by how they ended. `egress`: an
    environment, a kind of its rules, and what its last probe showed as a number.
    """
    lines = [
        *_head(RENEWALS),
        *(f'{RENEWALS.name}{{{RENEWALS.labels[0]}="{outcome}"}} {ended}' for outcome, ended in counts.ended.items()),
        *_head(DURATIONS),
        *_histogram(DURATIONS.name, counts),
    ]
    for metric, value in ((UNDER_WAY, under_way), (FAILING, failing), (WAITING, waiting), (RESTARTS, restarts)):
        if value is not None:
            lines += [*_head(metric), f"{metric.name} {value}"]
    if exchanges is not None:
        lines += _head(EXCHANGES)
        lines += (f'{EXCHANGES.name}{{{EXCHANGES.labels[0]}="{how}"}} {ended}' for how, ended in exchanges.items())
    if servers is not None:
        lines += _head(SERVERS)
        lines += (
            f'{SERVERS.name}{{{SERVERS.labels[0]}="{phase}"}} {servers.get(phase, 0)}' for phase in SERVERS.values
        )
    if egress:
        lines += _head(EGRESS)
        lines += map(_standing, egress[:MOST_STANDINGS])
    return "\n".join(lines) + "\n"


def _standing(one: tuple[str, str, int]) -> str:
    """A line of egress. The name of an environment may hold whatever is printable."""
    environment, kind, number = one
    name = environment.replace("\\", r"\\").replace('"', r"\"")
    return f'{EGRESS.name}{{environment="{name}",kind="{kind}"}} {number}'


def _head(metric: Metric) -> list[str]:
    return [f"# HELP {metric.name} {metric.says}", f"# TYPE {metric.name} {metric.kind}"]


def _histogram(name: str, counts: RenewalCounts) -> Iterable[str]:
    """Each bucket with all below it, as Prometheus wants them."""
    ends = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")
    for end, below in zip(ends, accumulate(counts.buckets), strict=True):
        yield f'{name}_bucket{{le="{end}"}} {below}'
    yield f"{name}_sum {counts.seconds:.6f}"
    yield f"{name}_count {sum(counts.buckets)}"
