import re
from typing import Any

import pytest

from proxy.exchange import Exchange
from proxy.stages.choose_tool import choose_tool
from proxy.stages.record import record
from proxy.tracing import tracer as tracer_module
from proxy.tracing.call_trace import Finished
from proxy.tracing.tracer import Tracer
from tests.fakes.call_parts import connection, exchange, gateway, parts, tool

TRACE, SPAN = "a" * 32, "b" * 16


class Kept:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[Finished] = []

    def put(self, span: Finished) -> None:
        self.spans.append(span)


def call(flags: str | None = None, **more: Any) -> Exchange:
    meta: dict[str, object] = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"} if flags else {}
    return exchange(gateway([tool()], slug="sales"), meta=meta, **more)


@pytest.mark.parametrize(("ratio", "traced"), [(0.0, 0), (1.0, 50)])
def test_the_ratio_decides_where_the_caller_does_not(ratio: float, traced: int) -> None:
    made = Tracer(Kept(), ratio=ratio, per_second=1000)
    exchanges = [call() for _ in range(50)]
    for x in exchanges:
        made.begin(x)
    assert sum(x.trace is not None for x in exchanges) == traced


def test_the_callers_flag_goes_before_the_ratio() -> None:
    wanted, unwanted = call("01"), call("00")
    Tracer(Kept(), ratio=0.0, per_second=10).begin(wanted)
    Tracer(Kept(), ratio=1.0, per_second=10).begin(unwanted)
    assert wanted.trace is not None
    assert wanted.trace.trace_id == TRACE
    assert re.fullmatch("[0-9a-f]{16}", wanted.trace.span_id)
    assert wanted.trace.span_id != SPAN
    assert unwanted.trace is None


def test_callers_are_heeded_up_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(tracer_module.time, "monotonic", lambda: now)
    made = Tracer(Kept(), ratio=1.0, per_second=3)

    def traced(calls: int) -> int:
        exchanges = [call("01") for _ in range(calls)]
        for x in exchanges:
            made.begin(x)
        return sum(x.trace is not None for x in exchanges)

    assert traced(10) == 3
    now += 0.7
    assert traced(10) == 2
    now += 100
    assert traced(10) == 3


def test_a_rate_of_nought_heeds_nobody() -> None:
    x = call("01")
    Tracer(Kept(), ratio=1.0, per_second=0).begin(x)
    assert x.trace is None


async def ended(x: Exchange, status: str = "ok", *, chosen: bool = True) -> Finished:
    kept = Kept()
    async with parts() as deps:
        deps.tracer = Tracer(kept, ratio=1.0, per_second=10)
        deps.tracer.begin(x)
        if chosen:
            choose_tool(x, deps)
            x.connection = connection()
        x.status, x.bytes_out = status, 7
        told = record(x, deps)
    (span,) = kept.spans
    assert told.trace_id == span.trace_id
    return span


async def test_a_span_says_what_the_conventions_ask_for_and_nothing_of_the_content() -> None:
    x = call("01", arguments={"password": "hunter2"})
    span = await ended(x)
    assert span.name == "tools/call t"
    assert span.parent is not None
    assert (span.trace_id, span.parent.span_id, span.error) == (TRACE, SPAN, "")
    assert span.attributes == span.attributes | {
        "mcp.method.name": "tools/call",
        "jsonrpc.request.id": "1",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "t",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "archway.gateway": "sales",
        "archway.server": "server",
        "archway.status": "ok",
        "archway.bytes_out": 7,
        "archway.request_id": x.request_id,
        "archway.principal": "user:u",
    }
    assert "error.type" not in span.attributes
    assert "hunter2" not in repr(span)
    assert 0 < span.ended_ns - span.began_ns < 60e9
    assert "archway.stage.before_the_call" in span.attributes


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        ("tool_error", "tool_error", None),
        ("quarantined", "tool_error", None),
        ("tool_unknown", "-32602", "-32602"),
        ("internal", "-32603", "-32603"),
        ("cancelled", "cancelled", None),
        ("wrong_message", "wrong_message", None),
    ],
)
async def test_an_error_has_its_type(status: str, error: str, code: str | None) -> None:
    span = await ended(call(), status)
    assert (span.error, span.attributes["error.type"]) == (error, error)
    assert span.attributes.get("rpc.response.status_code") == code


async def test_a_name_that_only_the_caller_said_is_not_in_the_spans_name() -> None:
    span = await ended(call(name="zq7"), "tool_unknown", chosen=False)
    assert span.name == "tools/call"
    assert "zq7" not in repr(span)
