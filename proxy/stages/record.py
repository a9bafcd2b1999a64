"""Record: what happened to a call, whoever ended it. Runs last, and for refused and cancelled calls too."""

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

_NOT_TOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, or no text may hold."""
ASKED: Final = "unknown: "
"""Before a name that only the caller said: no tool's name has a space, so nobody takes it for one of ours."""


def record(x: Exchange, deps: Deps) -> CallRecord:
    """Hand the call's record to the keeper; returns it."""
    assert x.gateway is not None
    request = x.request
    connection = x.connection
    kept = CallRecord(
        id=x.request_id,
        time=x.time,
        duration_ms=round((time.perf_counter() - x.began) * 1000, 3),
        request_id=x.request_id,
        decision="refused" if x.status in TABLE and TABLE[x.status].decided_by_us else "allowed",
        status=x.status,
        method=request.method,
        principal=x.principal_key,
        auth="token",
        token_id=x.token_id,
        client=_client(x, request),
        address=x.address,
        gateway_id=x.gateway.id,
        gateway_revision=x.gateway.snapshot.revision,
        tool=x.tool.tool.exposed if x.tool is not None else _asked(x, request),
        entry_id=x.tool.tool.route.entry_id if x.tool is not None else "",
        installation_id=connection.installation_id if connection is not None else "",
        installation_owner=connection.owner if connection is not None else "",
        credential_version=connection.version if connection is not None else 0,
        arguments_sha256=_digest(request.params.get("arguments")),
        bytes_in=len(x.body),
        bytes_out=x.bytes_out,
        session=x.session.jti if x.session is not None else "",
        trace_id=_trace_id(request),
    )
    deps.records.keep(kept)
    deps.slots.add("archway_calls_total")
    deps.slots.add("archway_call_seconds_total", kept.duration_ms / 1000)
    deps.slots.add("archway_bytes_in_total", kept.bytes_in)
    deps.slots.add("archway_bytes_out_total", kept.bytes_out)
    return kept


def _digest(arguments: object) -> str:
    """SHA-256 of the arguments as canonical JSON: sorted keys."""
    return hashlib.sha256(orjson.dumps(arguments or {}, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _asked(x: Exchange, request: Request) -> str:
    """The name of no tool, as it was asked for, cut to 128 characters: only for who reads the records."""
    name = request.params.get("name")
    if x.status != "tool_unknown" or not isinstance(name, str):
        return ""
    return ASKED + _NOT_TOLD.sub("", name[:128])


def _client(x: Exchange, request: Request) -> str:
    info = request.meta.get(META_CLIENT_INFO)
    if isinstance(info, dict):
        return f"{info.get('name', '')} {info.get('version', '')}"[:128]
    return x.headers.get("user-agent", "")[:128]


def _trace_id(request: Request) -> str:
    """The trace of the caller (W3C Trace Context section 3.2), if it says one."""
    parent = request.meta.get("traceparent")
    parts = parent.split("-") if isinstance(parent, str) else []
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else ""
