"""Which era a message belongs to, and the ladder of checks that a modern one climbs.

Called by `core.mcp.message` with a message whose shape is right. Nothing here decides by a header alone: where a
header mirrors the body (MCP 2026-07-28, transports, "Server Validation") it must agree with it, and what is handed
on is the body's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from core.mcp.faults import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, MessageFault, MessageId
from core.mcp.header_values import decode_sentinel
from core.mcp.methods import (
    LOG_LEVELS,
    META_CLIENT_CAPABILITIES,
    META_LOG_LEVEL,
    META_PROTOCOL_VERSION,
    MODERN_METHODS,
    NAME_PARAMETER,
)
from core.mcp.versions import LEGACY_VERSIONS, MODERN, Era

_SPECIAL_FIRST: Final = (" ", "=")
"""An edge of space; perhaps a sentinel's beginning."""


@dataclass(slots=True)
class RoutingHeaders:
    """`MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name` of the POST; None where a header is absent.

    That none of them came twice is checked by whoever read the headers.
    """

    protocol_version: str | None = None
    method: str | None = None
    name: str | None = None


def plain_meta(method: str, params: dict[str, object], headers: RoutingHeaders) -> dict[str, object] | None:
    """The `_meta` of a request that is certain to pass `era_of` and `check_request`, found in one look.

    Knows the usual case only: all that is required and no log level, the name as it is. None is "not certain".
    """
    meta, parameter = params.get("_meta"), NAME_PARAMETER.get(method)
    if parameter is not None:
        name = headers.name
        # Not visible ASCII, edged by spaces, or a sentinel: the ladder knows what that means.
        if not name or name != params.get(parameter) or not (name.isascii() and name.isprintable()):
            return None
        if name[0] in _SPECIAL_FIRST or name[-1] == " ":
            return None
    certain = (
        headers.method == method
        and headers.protocol_version == MODERN
        and method in MODERN_METHODS
        and isinstance(meta, dict)
        and meta.get(META_PROTOCOL_VERSION) == MODERN
        and isinstance(meta.get(META_CLIENT_CAPABILITIES), dict)
        and META_LOG_LEVEL not in meta
    )
    return cast("dict[str, object]", meta) if certain else None


def era_of(params: object, headers: RoutingHeaders) -> Era:
    """Modern if the header names no legacy version, or the body says a version of its own.

    Where the two disagree the ladder below finds it: it compares them.
    """
    if is_modern_by_header(headers):
        return Era.MODERN
    meta = params.get("_meta") if isinstance(params, dict) else None
    if isinstance(meta, dict) and META_PROTOCOL_VERSION in meta:
        return Era.MODERN
    return Era.LEGACY


def is_modern_by_header(headers: RoutingHeaders) -> bool:
    """Whether the version header alone makes the message modern: it is there, and names no legacy version."""
    version = headers.protocol_version
    return version is not None and (version == MODERN or _trim(version) not in LEGACY_VERSIONS)


def check_request(
    request_id: MessageId, method: str, params: dict[str, object], headers: RoutingHeaders
) -> dict[str, object]:
    """Check a modern request and return its `_meta`; raise `MessageFault` at 400 with its id.

    The order is the one in which SDKs judge: envelope, header against body, version, then the log level.
    """
    version, meta = _envelope(params.get("_meta"), request_id)
    _compare_version(version, headers, request_id)
    _compare_method(method, headers, request_id)
    _compare_name(method, params, headers, request_id)
    _check_served(version, request_id)
    # An unknown method ranks before wrong parameters, and is for the caller to find.
    if method in MODERN_METHODS and meta.get(META_LOG_LEVEL, "info") not in LOG_LEVELS:
        raise MessageFault(
            INVALID_PARAMS, f"_meta {META_LOG_LEVEL} must be one of {', '.join(LOG_LEVELS)}.", 400, request_id
        )
    return meta


def check_notification(method: str, params: dict[str, object], headers: RoutingHeaders) -> None:
    """Check a modern notification: it needs no envelope, but what it carries must agree with its headers."""
    meta = params.get("_meta")
    in_header = None if headers.protocol_version is None else _trim(headers.protocol_version)
    in_body = meta.get(META_PROTOCOL_VERSION, in_header) if isinstance(meta, dict) else in_header
    _compare_version(in_body, headers, None)
    if headers.method is not None:
        _compare_method(method, headers, None)
    _check_served(in_body, None)


def _envelope(meta: object, request_id: MessageId) -> tuple[str, dict[str, object]]:
    """The version and `_meta` of a modern request; both required keys must be there (2026-07-28, basic)."""
    if not isinstance(meta, dict):
        raise MessageFault(INVALID_PARAMS, "params._meta is missing or not an object.", 400, request_id)
    version = meta.get(META_PROTOCOL_VERSION)
    if not isinstance(version, str):
        raise MessageFault(
            INVALID_PARAMS, f"_meta {META_PROTOCOL_VERSION} is missing or not a string.", 400, request_id
        )
    if not isinstance(meta.get(META_CLIENT_CAPABILITIES), dict):
        raise MessageFault(
            INVALID_PARAMS, f"_meta {META_CLIENT_CAPABILITIES} is missing or not an object.", 400, request_id
        )
    return version, meta


def _compare_version(version: object, headers: RoutingHeaders, request_id: MessageId | None) -> None:
    if headers.protocol_version is None or _trim(headers.protocol_version) != version:
        raise _mismatch("MCP-Protocol-Version", f"_meta {META_PROTOCOL_VERSION}", request_id)


def _compare_method(method: str, headers: RoutingHeaders, request_id: MessageId | None) -> None:
    if headers.method is None or _trim(headers.method) != method:
        raise _mismatch("Mcp-Method", "method", request_id)


def _compare_name(method: str, params: dict[str, object], headers: RoutingHeaders, request_id: MessageId) -> None:
    parameter = NAME_PARAMETER.get(method)
    if parameter is None:
        return
    in_body = params.get(parameter)
    if headers.name is None and not isinstance(in_body, str):
        return  # there is nothing to mirror; the missing parameter is found with the others
    try:
        in_header = None if headers.name is None else decode_sentinel(_trim(headers.name))
    except ValueError:
        in_header = None
    if in_header is None or in_header != in_body:
        raise _mismatch("Mcp-Name", f"params.{parameter}", request_id)


def _check_served(version: object, request_id: MessageId | None) -> None:
    if version == MODERN:
        return
    requested = version if isinstance(version, str) else ""
    raise MessageFault(
        UNSUPPORTED_VERSION,
        f"This protocol version is not supported; use {MODERN}, or open a session with initialize.",
        400,
        request_id,
        {"supported": [MODERN], "requested": requested},
    )


def _mismatch(header: str, member: str, request_id: MessageId | None) -> MessageFault:
    return MessageFault(
        HEADER_MISMATCH,
        f"The header {header} is missing, malformed, or differs from {member} of the body.",
        400,
        request_id,
    )


def _trim(value: str) -> str:
    # RFC 9110 section 5.6.3: whitespace around a value is not part of it.
    return value.strip(" \t")
