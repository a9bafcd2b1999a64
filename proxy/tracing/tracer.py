"""Which calls are traced, and what their span says.

Whether a call is traced is decided before anything is made for it: by the flag of its caller, up to so many a
second, or else by the ratio of the settings. Nothing here waits, and no argument and no result is in a span.

Attributes follow OpenTelemetry's conventions for MCP servers and for tools (`mcp.*`, `gen_ai.*`); what they have no
name for is `archway.*`.
"""

import random
import secrets
import time
from typing import Final, Protocol

from core.mcp.message import Request
from core.records import CallRecord
from proxy.exchange import Exchange
from proxy.refusals import TABLE
from proxy.tracing.call_trace import Attributes, CallTrace, Finished
from proxy.tracing.context import PARENT, parent_of

_LONGEST_ID: Final = 128
_WRONG_MESSAGE: Final = "wrong_message"


class Sends(Protocol):
    """Where finished spans go."""

    def put(self, span: Finished) -> None:
        """Take one; never waits."""


class Tracer:
    """One worker's. `ratio`: of calls whose caller decided nothing; `per_second`: of those that it wants traced."""

    def __init__(self, sender: Sends, *, ratio: float, per_second: float) -> None:
        self._sender, self._ratio = sender, ratio
        self._rate = self._level = per_second
        self._at = time.monotonic()

    def begin(self, x: Exchange) -> None:
        """Give the exchange a trace, if this call is to have one."""
        meta, parent = x.request.meta, None
        if PARENT in meta or PARENT in x.headers:
            parent = parent_of(meta, x.headers)
        if parent is None:
            if random.random() >= self._ratio:  # noqa: S311 (nobody gains anything by guessing it)
                return
        elif not parent.sampled or not self._within_rate():
            return
        trace_id = parent.trace_id if parent is not None else secrets.token_hex(16)
        x.trace = CallTrace(trace_id, secrets.token_hex(8), parent)

    def end(self, x: Exchange, kept: CallRecord) -> None:
        """The call is over: its span goes out."""
        trace = x.trace
        assert trace is not None
        now = time.time_ns()
        took = int((time.perf_counter() - x.began) * 1e9)
        error = _error(kept.status)
        attributes = _attributes(x, kept) | trace.stages
        attributes["archway.stage.before_the_call"] = round(trace.began - x.began, 7)
        if error:
            attributes["error.type"] = error
        name = kept.method if x.tool is None else f"{kept.method} {kept.tool}"
        span = Finished(name, trace.trace_id, trace.span_id, trace.parent, now - took, now, attributes, error)
        self._sender.put(span)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        self._level = min(max(self._rate, 1.0), self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


def _attributes(x: Exchange, kept: CallRecord) -> Attributes:
    assert isinstance(x.message, Request)
    assert x.gateway is not None
    told: Attributes = {
        "mcp.method.name": kept.method,
        "mcp.protocol.version": x.version,
        "mcp.session.id": kept.session,
        "jsonrpc.request.id": str(x.message.id)[:_LONGEST_ID],
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": kept.tool if x.tool is not None else "",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": ".".join(map(str, x.head.version)),
        "client.address": kept.address,
        "archway.status": kept.status,
        "archway.request_id": kept.request_id,
        "archway.principal": kept.principal,
        "archway.gateway": x.gateway.snapshot.slug,
        "archway.server": x.tool.tool.route.entry if x.tool is not None else "",
        "archway.installation_id": kept.installation_id,
        "archway.bytes_in": kept.bytes_in,
        "archway.bytes_out": kept.bytes_out,
    }
    if (code := _rpc_code(kept.status)) is not None:
        told["rpc.response.status_code"] = code
    return {name: value for name, value in told.items() if value != ""}


def _rpc_code(status: str) -> str | None:
    """The code of the JSON-RPC error that the caller got, if it got one."""
    if status == "internal":
        return "-32603"
    row = TABLE.get(status)
    return str(row.code) if row is not None and row.kind != "result" else None


def _error(status: str) -> str:
    """`error.type`: the code of the error, or `tool_error` for a result that is one."""
    if status == "ok":
        return ""
    if status in {"cancelled", _WRONG_MESSAGE}:
        return status
    return _rpc_code(status) or "tool_error"
