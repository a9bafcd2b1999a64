"""What is wrong with a PromQL expression, by Prometheus' own grammar and by the series that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser as promql

from tests.charts.registry import ANY, OF_TARGETS, Series

OF_COUNTERS = frozenset({"rate", "irate", "increase"})


def wrong_with(expression: str, known: dict[str, Series]) -> list[str]:
    """Each complaint; none where Prometheus would find what is asked for."""
    try:
        parsed = promql.parse(expression)
    except ValueError as error:
        return [str(error)]
    return [complaint for node in _nodes(parsed) for complaint in _complaints(node, known)]


def _nodes(parsed: promql.Expr) -> list[promql.Expr]:
    found: list[promql.Expr] = []
    promql.walk(parsed, found.append)
    return found


def _complaints(node: promql.Expr, known: dict[str, Series]) -> Iterator[str]:
    if isinstance(node, promql.VectorSelector):
        yield from _of_selector(node, known)
    elif isinstance(node, promql.Call) and node.func.name in OF_COUNTERS:
        (argument,) = node.args
        for name in _names(argument):
            if name in known and known[name].kind != "counter":
                yield f"{node.func.name} of {name}, which is no counter"
    elif isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        labels = {label for name in _names(node.expr) if name in known for label in known[name].labels}
        yield from (f"by {label}, which nothing in it has" for label in {*node.modifier.labels} - labels - OF_TARGETS)


def _of_selector(node: promql.VectorSelector, known: dict[str, Series]) -> Iterator[str]:
    series = known.get(node.name or "")
    if series is None:
        yield f"{node.name} is told by nobody"
        return
    for matcher in node.matchers.matchers:
        values = series.labels.get(matcher.name, None if matcher.name not in OF_TARGETS else ANY)
        if values is None:
            yield f"{node.name} has no label {matcher.name}"
        elif matcher.name == "le" and not _fits_both(matcher, values):
            yield f"le of {node.name} is {matcher.value} in one version of Prometheus alone"
        elif values and not matcher.value.startswith("$") and not _fits(matcher, values):
            yield f"{matcher.name} of {node.name} is never {matcher.value}"


def _fits(matcher: promql.Matcher, values: frozenset[str]) -> bool:
    """Whether each of the words that it names, or its pattern, is a value that there is."""
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return matcher.value in values
    words = matcher.value.split("|")
    return all(any(re.fullmatch(word, value) for value in values) for word in words)


def _fits_both(matcher: promql.Matcher, bounds: frozenset[str]) -> bool:
    """Whether it finds the same bounds as they are told, and with a point, as Prometheus 3 writes them.

    https://prometheus.io/docs/prometheus/3.0/migration/
    """
    pattern = re.escape(matcher.value) if matcher.op == promql.MatchOp.Equal else matcher.value
    written = [(bound, bound if bound == "+Inf" else str(float(bound))) for bound in bounds]
    return all(len({bool(re.fullmatch(pattern, one)) for one in both}) == 1 for both in written)


def names_in(expression: str, *, earlier: bool = False) -> set[str]:
    """The metrics that it asks for; with `earlier` those that it asks for as they were a while ago."""
    selectors = [one for one in _nodes(promql.parse(expression)) if isinstance(one, promql.VectorSelector)]
    return {one.name for one in selectors if one.name and (not earlier or one.offset)}


def counted_in(expression: str) -> set[str]:
    """The counters of which it asks for an increase."""
    calls = [one for one in _nodes(promql.parse(expression)) if isinstance(one, promql.Call)]
    return {name for call in calls if call.func.name == "increase" for name in _names(call.args[0])}


def _names(node: promql.Expr) -> set[str]:
    return {one.name for one in _nodes(node) if isinstance(one, promql.VectorSelector) and one.name}
