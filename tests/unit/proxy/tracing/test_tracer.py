import re
import time

import pytest

from proxy.tracing import tracer as tracer_module
from proxy.tracing.call_trace import CallTrace, Finished
from proxy.tracing.context import Parent
from proxy.tracing.tracer import Tracer

TRACE, SPAN = "a" * 32, "b" * 16


class Kept:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[Finished] = []

    def put(self, span: Finished) -> None:
        self.spans.append(span)


def meta(flags: str) -> dict[str, object]:
    """Of a call whose caller traces it, with these flags."""
    return {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}


@pytest.mark.parametrize(("ratio", "traced"), [(0.0, 0), (1.0, 50)])
def test_the_ratio_decides_where_the_caller_does_not(ratio: float, traced: int) -> None:
    made = Tracer(Kept(), ratio=ratio, per_second=1000)
    assert sum(made.begin({}, {}) is not None for _ in range(50)) == traced


def test_the_callers_flag_goes_before_the_ratio() -> None:
    wanted = Tracer(Kept(), ratio=0.0, per_second=10).begin(meta("01"), {})
    unwanted = Tracer(Kept(), ratio=1.0, per_second=10).begin(meta("00"), {})
    assert wanted is not None
    assert wanted.trace_id == TRACE
    assert re.fullmatch("[0-9a-f]{16}", wanted.span_id)
    assert wanted.span_id != SPAN
    assert unwanted is None


def test_a_flag_in_the_headers_is_heeded_too() -> None:
    wanted = Tracer(Kept(), ratio=0.0, per_second=10).begin({}, {"traceparent": f"00-{TRACE}-{SPAN}-01"})
    assert wanted is not None
    assert wanted.parent == Parent(TRACE, SPAN, sampled=True)


def test_callers_are_heeded_up_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(tracer_module.time, "monotonic", lambda: now)
    made = Tracer(Kept(), ratio=1.0, per_second=3)

    def traced(calls: int) -> int:
        return sum(made.begin(meta("01"), {}) is not None for _ in range(calls))

    assert traced(10) == 3
    now += 0.7
    assert traced(10) == 2
    now += 100
    assert traced(10) == 3


def test_a_rate_of_nought_heeds_nobody() -> None:
    assert Tracer(Kept(), ratio=1.0, per_second=0).begin(meta("01"), {}) is None


@pytest.mark.parametrize("error", ["", "tool_error"])
def test_a_span_is_what_it_was_told_with_its_times_and_its_error(error: str) -> None:
    kept, trace = Kept(), CallTrace(TRACE, SPAN, None)
    trace.stages["archway.stage.relay"] = 0.5
    Tracer(kept, ratio=1.0, per_second=1).end(trace, "tools/call t", time.perf_counter() - 2, {"n": 1}, error)
    (span,) = kept.spans
    assert (span.name, span.trace_id, span.span_id, span.error) == ("tools/call t", TRACE, SPAN, error)
    assert 2e9 <= span.ended_ns - span.began_ns < 60e9
    before = span.attributes.pop("archway.stage.before_the_call")
    assert 1.9 < float(before) < 60
    assert span.attributes == {"n": 1, "archway.stage.relay": 0.5} | ({"error.type": error} if error else {})
