import hashlib
from typing import Any

import orjson
import pytest

from core.records import CallRecord
from core.resolve import Principal
from proxy.exchange import Exchange
from proxy.refusals import TABLE, Reason
from proxy.sessions.sealed import Session
from proxy.stages.choose_tool import choose_tool
from proxy.stages.record import record
from proxy.tracing.call_trace import Finished
from proxy.tracing.tracer import Tracer
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool
from tests.fakes.callers import caller_of

TRACEPARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


async def test_equal_arguments_in_another_order_have_one_digest() -> None:
    async with parts() as deps:
        digests = {
            record(exchange(gateway([tool()]), arguments=arguments), deps).arguments_sha256
            for arguments in ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
        }
        assert len(digests) == 1


@pytest.mark.parametrize(
    ("status", "decision"),
    [("ok", "allowed"), ("tool_error", "allowed"), ("upstream_slow", "allowed"), ("quarantined", "refused"),
     ("tool_unknown", "refused"), ("credential_missing", "refused"), ("upstream_forbidden", "refused"),
     ("wrong_message", "refused"), ("internal", "allowed"), ("cancelled", "allowed")],
)  # fmt: skip
async def test_what_we_refused_is_told_from_what_went_wrong(status: str, decision: str) -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        x.status = status
        assert record(x, deps).decision == decision


@pytest.mark.parametrize(("reason", "row"), TABLE.items(), ids=TABLE)
async def test_who_decided_is_in_the_table_of_reasons(reason: str, row: Reason) -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        x.status = reason
        assert record(x, deps).decision == ("refused" if row.decided_by_us else "allowed")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("serch", "unknown: serch"),
        ("a\x1b[31m\nb\x9b\u202ec\ud800", "unknown: a[31mbc"),
        ("x" * 1000, "unknown: " + "x" * 128),
    ],
)
async def test_a_name_that_no_tool_has_is_recorded_as_such(asked: str, told: str) -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]), name=asked)
        x.status = "tool_unknown"
        kept = record(x, deps)
        assert (kept.tool, kept.entry_id) == (told, "")
        x.status = "busy"
        assert record(x, deps).tool == ""


@pytest.mark.parametrize(
    ("meta", "trace"),
    [
        ({"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}, "a" * 32),
        ({"traceparent": "nonsense"}, ""),
        ({"traceparent": 7}, ""),
        ({}, ""),
    ],
)
async def test_the_trace_is_the_callers_if_it_is_one(meta: dict[str, object], trace: str) -> None:
    async with parts() as deps:
        assert record(exchange(gateway(), meta=meta), deps).trace_id == trace


async def test_the_client_is_named_as_it_says_and_briefly() -> None:
    async with parts() as deps:
        info: dict[str, object] = {"io.modelcontextprotocol/clientInfo": {"name": "n" * 500, "version": 1}}
        assert record(exchange(gateway(), meta=info), deps).client == "n" * 128
        x = exchange(gateway())
        x.headers["user-agent"] = "agent/1"
        assert record(x, deps).client == "agent/1"


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"name": "agent", "version": "1"}, "agent 1"),
        ({"name": orjson.Fragment(b"50000000000000000000"), "version": "1"}, "1"),
        ({"name": "agent", "version": orjson.Fragment(b"1e999")}, "agent"),
        ({"name": {"a": orjson.Fragment(b"1e999")}, "version": ["1"]}, ""),
        ({"name": 7, "version": None}, ""),
        ({"name": "a\x1b[31m\nb\x9b\u202ec\ud800", "version": "\x002"}, "a[31mbc 2"),
        ({}, ""),
    ],
)
async def test_of_a_clients_name_only_text_is_recorded_and_nothing_that_a_terminal_obeys(
    info: dict[str, object], told: str
) -> None:
    async with parts() as deps:
        meta: dict[str, object] = {"io.modelcontextprotocol/clientInfo": info}
        assert record(exchange(gateway(), meta=meta), deps).client == told
        x = exchange(gateway())
        x.headers["user-agent"] = "agent/1\x9b31m"
        assert record(x, deps).client == "agent/131m"


async def test_the_installation_and_its_owner_are_told() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        choose_tool(x, deps)
        x.installation = installation(owner="team:t", version=4)
        kept = record(x, deps)
        assert (kept.installation_owner, kept.credential_version, kept.tool) == ("team:t", 4, "t")
        assert kept.installation_id == x.installation.installation_id
        assert deps.records.kept == 1


async def test_each_part_of_a_record_stands_in_its_own_field() -> None:
    """It is built by position."""
    async with parts() as deps:
        x = exchange(gateway([tool()], revision=9), arguments={"a": 1}, meta={"traceparent": TRACEPARENT})
        choose_tool(x, deps)
        x.installation = installation(owner="team:t", version=4, account="octocat")
        x.session = Session("the jti", "2025-11-25", 0, 0)
        x.status, x.body, x.bytes_out, x.address = "upstream_slow", b"12345", 7, "192.0.2.9"
        x.headers["user-agent"] = "agent/1"
        kept = record(x, deps)
    assert x.gateway is not None
    assert x.target is not None
    assert kept.duration_ms > 0
    assert kept == CallRecord(
        id=x.request_id,
        time=x.time,
        duration_ms=kept.duration_ms,
        request_id=x.request_id,
        decision="allowed",
        status="upstream_slow",
        method="tools/call",
        principal="user:u",
        auth="token",
        token_id="token-id",
        client="agent/1",
        address="192.0.2.9",
        gateway_id=x.gateway.id,
        gateway_revision=9,
        tool="t",
        entry_id=x.target.route.entry_id,
        installation_id=x.installation.installation_id,
        installation_owner="team:t",
        credential_version=4,
        account="octocat",
        arguments_sha256=hashlib.sha256(b'{"a":1}').hexdigest(),
        bytes_in=5,
        bytes_out=7,
        session="the jti",
        trace_id="a" * 32,
    )


async def test_a_record_says_what_its_caller_came_with() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        x.caller = caller_of(Principal("service", "ci", "CI"), way="oauth", credential_id="the grant")
        kept = record(x, deps)
    assert (kept.principal, kept.auth, kept.token_id) == ("service:ci", "oauth", "the grant")


@pytest.mark.parametrize("arguments", [{}, None])
async def test_no_arguments_are_an_empty_object(arguments: object) -> None:
    async with parts() as deps:
        kept = record(exchange(gateway([tool()]), arguments=arguments), deps)
    assert kept.arguments_sha256 == hashlib.sha256(b"{}").hexdigest()


async def test_a_call_is_counted_under_the_snapshots_names() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()], slug="sales"))
        x.status = "tool_unknown"
        record(x, deps)  # before a tool is chosen
        choose_tool(x, deps)
        x.status = "ok"
        record(x, deps)
        slots = deps.slots
    calls = 'archway_calls_total{gateway="sales",server="%s",tool="%s",status="%s"}'
    assert slots.value(calls % ("server", "t", "ok")) == 1
    assert slots.value(calls % ("other", "other", "tool_unknown")) == 1


class Sent:
    """A sender that keeps the spans it is given."""

    def __init__(self) -> None:
        self.spans: list[Finished] = []

    def put(self, span: Finished) -> None:
        self.spans.append(span)


async def span_of(x: Exchange, status: str = "ok", *, chosen: bool = True) -> Finished:
    """The span of a traced call that ended so."""
    sent = Sent()
    async with parts() as deps:
        deps.tracer = Tracer(sent, ratio=1.0, per_second=10)
        x.trace = deps.tracer.begin(x.request.meta, x.headers)
        if chosen:
            choose_tool(x, deps)
            x.installation = installation()
        x.status, x.bytes_out = status, 7
        told = record(x, deps)
    (span,) = sent.spans
    assert told.trace_id == span.trace_id
    return span


def traced(**more: Any) -> Exchange:
    """A call whose caller traces it."""
    return exchange(gateway([tool()], slug="sales"), meta={"traceparent": TRACEPARENT}, **more)


async def test_a_span_says_what_the_conventions_ask_for_and_nothing_of_the_content() -> None:
    x = traced(arguments={"password": "hunter2"})
    span = await span_of(x)
    assert span.name == "tools/call t"
    assert span.parent is not None
    assert (span.trace_id, span.parent.span_id, span.error) == ("a" * 32, "b" * 16, "")
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
async def test_the_span_of_an_error_has_its_type(status: str, error: str, code: str | None) -> None:
    span = await span_of(traced(), status)
    assert (span.error, span.attributes["error.type"]) == (error, error)
    assert span.attributes.get("rpc.response.status_code") == code


async def test_a_call_that_is_refused_with_an_error_has_its_code_in_the_span() -> None:
    x = traced()
    x.refused_as = "error"
    span = await span_of(x, "busy")
    assert (span.error, span.attributes["rpc.response.status_code"]) == ("-31000", "-31000")


async def test_a_name_that_only_the_caller_said_is_not_in_the_spans_name() -> None:
    span = await span_of(traced(name="zq7"), "tool_unknown", chosen=False)
    assert span.name == "tools/call"
    assert "zq7" not in repr(span)
