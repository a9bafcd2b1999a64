"""Record: what happened to a call, whoever ended it. Runs last, and for refused and cancelled calls too. And what
happened at the door: the refusal of a caller who is known, before there is a call.

A traced call is told to the tracer here as well, in values. No argument and no result is in a span, and its
attributes follow OpenTelemetry's conventions for MCP servers and for tools (`mcp.*`, `gen_ai.*`); what they have no
name for is `archway.*`.
"""

import hashlib
import re
import time
from typing import Final

import orjson

from core.mcp.message import Request
from core.mcp.methods import META_CLIENT_INFO
from core.records import CallRecord
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import TABLE
from proxy.telemetry.metrics import OTHER
from proxy.tracing.call_trace import Attributes
from proxy.tracing.context import PARENT, parent_of

_NOT_TOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, or no text may hold."""
ASKED: Final = "unknown: "
"""Before a name that only the caller said: no tool's name has a space, so nobody takes it for one of ours."""
_REFUSED: Final = frozenset({"wrong_message", *(reason for reason, row in TABLE.items() if row.decided_by_us)})
_LONGEST_SENTENCE: Final = 256
LONGEST_NAME: Final = 128
"""Characters of what a client or a caller calls something."""
_LONGEST_ID: Final = 128
"""Characters of a request's id in a span."""
_NO_ARGUMENTS: Final = hashlib.sha256(b"{}").hexdigest()


def record(x: Exchange, deps: Deps) -> CallRecord:
    """Hand the call's record to the keeper, and count the call; returns the record."""
    assert x.gateway is not None
    seconds = time.perf_counter() - x.began
    request, installation, snapshot = x.request, x.installation, x.gateway.snapshot
    target = x.target
    # By position: with names the same record takes a microsecond more, at every call.
    kept = CallRecord(
        x.request_id,  # id
        x.time,
        int(seconds * 1_000_000 + 0.5) / 1000,  # duration_ms
        x.request_id,
        "refused" if x.status in _REFUSED else "allowed",  # decision
        x.status,
        request.method,
        x.principal_key,  # principal
        "token",  # auth
        x.token_id,
        _client(x, request),
        x.address,
        snapshot.id,  # gateway_id
        snapshot.revision,  # gateway_revision
        target.exposed if target is not None else _asked(x, request),  # tool
        target.route.entry_id if target is not None else "",
        installation.installation_id if installation is not None else "",
        installation.owner if installation is not None else "",  # installation_owner
        installation.version if installation is not None else 0,  # credential_version
        _digest(request.params.get("arguments")),  # arguments_sha256
        len(x.body),  # bytes_in
        x.bytes_out,
        x.session.jti if x.session is not None else "",  # session
        _trace_id(x, request) if x.trace is not None or PARENT in request.meta or PARENT in x.headers else "",
        _sentence(x.reason) if x.reason else "",
    )
    deps.records.keep(kept)
    if x.trace is not None and deps.tracer is not None:
        name = kept.method if target is None else f"{kept.method} {kept.tool}"
        deps.tracer.end(x.trace, name, x.began, _told(x, kept), _error(x, kept.status))
    # Names of the snapshot alone become labels; one that only the caller said does not.
    deps.slots.call(
        snapshot.slug,
        target.route.entry if target is not None else OTHER,
        target.exposed if target is not None else OTHER,
        x.status,
        seconds,
        len(x.body),
        x.bytes_out,
    )
    return kept


def record_at_door(x: Exchange, deps: Deps) -> None:
    """Hand the record of a refusal before a call to the keeper, unless its caller has left enough of them."""
    left_out = deps.records.door.take(x.principal_key)
    if left_out is None:
        return
    gateway = x.gateway if x.gateway is not None else deps.gateways.held(x.gateway_name)
    deps.records.keep(
        CallRecord(
            id=x.request_id,
            time=x.time,
            duration_ms=int((time.perf_counter() - x.began) * 1_000_000 + 0.5) / 1000,
            request_id=x.request_id,
            decision="refused",
            status=x.status,
            method=x.message.method if isinstance(x.message, Request) else "",
            principal=x.principal_key,
            auth="token",
            token_id=x.token_id,
            client=_NOT_TOLD.sub("", x.headers.get("user-agent", "")[:LONGEST_NAME]),
            address=x.address,
            gateway_id=gateway.snapshot.id if gateway is not None else "",
            gateway_revision=gateway.snapshot.revision if gateway is not None else 0,
            bytes_in=len(x.body),
            session=x.session.jti if x.session is not None else "",
            reason=_sentence(x.reason),
            gateway_asked=_NOT_TOLD.sub("", x.gateway_name[:LONGEST_NAME]) if x.gateway is None else "",
            left_out=left_out,
        )
    )


def _sentence(told: str) -> str:
    return _NOT_TOLD.sub("", told[:_LONGEST_SENTENCE])


def _digest(arguments: object) -> str:
    """SHA-256 of the arguments as canonical JSON: sorted keys."""
    if not arguments:
        return _NO_ARGUMENTS
    return hashlib.sha256(orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _asked(x: Exchange, request: Request) -> str:
    """The name of no tool, as it was asked for, cut to 128 characters: only for readers of the records."""
    name = request.params.get("name")
    if x.status != "tool_unknown" or not isinstance(name, str):
        return ""
    return ASKED + _NOT_TOLD.sub("", name[:LONGEST_NAME])


def _client(x: Exchange, request: Request) -> str:
    info = request.meta.get(META_CLIENT_INFO)
    if not isinstance(info, dict):
        return _NOT_TOLD.sub("", x.headers.get("user-agent", "")[:LONGEST_NAME])
    told = (info.get("name"), info.get("version"))
    return _NOT_TOLD.sub("", " ".join(text[:LONGEST_NAME] for text in told if isinstance(text, str))[:LONGEST_NAME])


def _trace_id(x: Exchange, request: Request) -> str:
    """The trace that the call is part of: ours, or the caller's if it says one."""
    if x.trace is not None:
        return x.trace.trace_id
    parent = parent_of(request.meta, x.headers)
    return parent.trace_id if parent is not None else ""


def _told(x: Exchange, kept: CallRecord) -> Attributes:
    """What the span of a call says beside its times."""
    assert x.gateway is not None
    told: Attributes = {
        "mcp.method.name": kept.method,
        "mcp.protocol.version": x.version,
        "mcp.session.id": kept.session,
        "jsonrpc.request.id": str(x.request.id)[:_LONGEST_ID],
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": kept.tool if x.target is not None else "",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": ".".join(map(str, x.head.version)),
        "client.address": kept.address,
        "archway.status": kept.status,
        "archway.request_id": kept.request_id,
        "archway.principal": kept.principal,
        "archway.gateway": x.gateway.snapshot.slug,
        "archway.server": x.target.route.entry if x.target is not None else "",
        "archway.installation_id": kept.installation_id,
        "archway.bytes_in": kept.bytes_in,
        "archway.bytes_out": kept.bytes_out,
    }
    if (code := _rpc_code(x, kept.status)) is not None:
        told["rpc.response.status_code"] = code
    return {name: value for name, value in told.items() if value != ""}


def _rpc_code(x: Exchange, status: str) -> str | None:
    """The code of the JSON-RPC error that the caller got, if it got one."""
    if status == "internal":
        return "-32603"
    row = TABLE.get(status)
    return None if row is None or row.is_result(x.refused_as) else str(row.code)


def _error(x: Exchange, status: str) -> str:
    """`error.type`: the code of the error, or `tool_error` for a result that is one."""
    if status == "ok":
        return ""
    if status in {"cancelled", "wrong_message"}:
        return status
    return _rpc_code(x, status) or "tool_error"
