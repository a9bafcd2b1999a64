"""Record: what happened to a call, whoever ended it. Runs last, and for refused and cancelled calls too.

A traced call is told to the tracer here as well, in values (`proxy/tracing/call_attributes.py`). Leaves out refusals
before there is a call (`proxy/answers/at_the_door.py`).
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Final

import orjson

from core.mcp.message import Request
from core.mcp.methods import META_CLIENT_INFO
from core.records import CallRecord
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.records.texts import LONGEST_NAME, sentence, short_name
from proxy.refusals import TABLE
from proxy.telemetry.metrics import OTHER
from proxy.tracing.call_attributes import attributes, error_type
from proxy.tracing.context import PARENT, parent_of

ASKED: Final = "unknown: "
"""Before a name that only the caller said: no tool's name has a space, so nobody takes it for one of ours."""
_REFUSED: Final = frozenset({"wrong_message", *(reason for reason, row in TABLE.items() if row.decided_by_us)})
_NO_ARGUMENTS: Final = hashlib.sha256(b"{}").digest()


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
        x.caller.key,  # principal
        x.caller.way,  # auth
        x.caller.credential.id,  # token_id
        client_of(x.headers, request.meta),
        x.address,
        snapshot.id,  # gateway_id
        snapshot.revision,  # gateway_revision
        target.exposed if target is not None else _asked(x, request),  # tool
        target.route.entry_id if target is not None else "",
        installation.installation_id if installation is not None else "",
        installation.owner if installation is not None else "",  # installation_owner
        installation.version if installation is not None else 0,  # credential_version
        installation.account if installation is not None else "",
        sha256_of(request.params.get("arguments")).hex(),  # arguments_sha256
        len(x.body),  # bytes_in
        x.bytes_out,
        x.session.jti if x.session is not None else "",  # session
        _trace_id(x, request) if x.trace is not None or PARENT in request.meta or PARENT in x.headers else "",
        sentence(x.reason) if x.reason else "",
        "",  # gateway_asked
        0,  # left_out
        *x.caller.at_provider,
    )
    deps.records.keep(kept)
    if x.trace is not None and deps.tracer is not None:
        name = kept.method if target is None else f"{kept.method} {kept.tool}"
        told = attributes(
            kept,
            version=x.version,
            message_id=str(x.request.id),
            http_version=".".join(map(str, x.head.version)),
            gateway=snapshot.slug,
            server=target.route.entry if target is not None else None,
            refused_as=x.refused_as,
        )
        deps.tracer.end(x.trace, name, x.began, told, error_type(kept.status, x.refused_as))
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


def sha256_of(arguments: object) -> bytes:
    """SHA-256 of the arguments as canonical JSON: sorted keys."""
    if not arguments:
        return _NO_ARGUMENTS
    return hashlib.sha256(orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)).digest()


def _asked(x: Exchange, request: Request) -> str:
    """The name of no tool, as it was asked for, cut to 128 characters: only for readers of the records."""
    name = request.params.get("name")
    if x.status != "tool_unknown" or not isinstance(name, str):
        return ""
    return ASKED + short_name(name)


def client_of(headers: Mapping[str, str], meta: Mapping[str, object]) -> str:
    """What a record calls the client of a message with this `_meta`, sent with these headers."""
    info = meta.get(META_CLIENT_INFO)
    if not isinstance(info, dict):
        return short_name(headers.get("user-agent", ""))
    told = (info.get("name"), info.get("version"))
    return short_name(" ".join(text[:LONGEST_NAME] for text in told if isinstance(text, str)))


def _trace_id(x: Exchange, request: Request) -> str:
    """The trace that the call is part of: ours, or the caller's if it says one."""
    if x.trace is not None:
        return x.trace.trace_id
    parent = parent_of(request.meta, x.headers)
    return parent.trace_id if parent is not None else ""
