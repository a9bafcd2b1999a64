"""From the bytes of a POST and its routing headers to one checked message, with its era decided.

The proxy calls `parse` once per request and `parse_item` for each item of a batch. What is left to it: whether the
method is one that it serves (`MODERN_METHODS`, `LEGACY_METHODS`), the parameters of each method, whether a response
answers a question that is pending, and whether the session allows batches. What the modern era demands of headers and
envelope stands in `core.mcp.modern_envelope`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from core.mcp.faults import INVALID_PARAMS, INVALID_REQUEST, MessageFault, MessageId
from core.mcp.json_limits import loads
from core.mcp.methods import CLIENT_NOTIFICATIONS, LEGACY_METHODS, MODERN_METHODS
from core.mcp.modern_envelope import (
    RoutingHeaders,
    check_notification,
    check_request,
    era_of,
    is_modern_by_header,
    plain_meta,
)
from core.mcp.versions import LEGACY_VERSIONS, Era

__all__ = [
    "CLIENT_NOTIFICATIONS",
    "LEGACY_METHODS",
    "MAX_BATCH",
    "MAX_ID_BYTES",
    "MODERN_METHODS",
    "Batch",
    "Message",
    "Notification",
    "Request",
    "Response",
    "RoutingHeaders",
    "parse",
    "parse_item",
    "parse_value",
    "valid_id",
]

MAX_ID_BYTES = 256
MAX_BATCH = 100
_PLAINLY_LEGACY = (None, *LEGACY_VERSIONS)
"""Version headers with which a body that says no version of its own is legacy."""


@dataclass(slots=True)
class Request:
    """A call that expects an answer. `meta` is `params["_meta"]`, or an empty dict where there is none."""

    id: MessageId
    method: str
    params: dict[str, object]
    era: Era
    meta: dict[str, object]


@dataclass(slots=True)
class Notification:
    """A message that expects no answer; whether its method is known is the caller's to judge."""

    method: str
    params: dict[str, object]
    era: Era


@dataclass(slots=True)
class Response:
    """A legacy client's answer to a question of ours: exactly one of `result` and `error` is not None."""

    id: MessageId
    result: dict[str, object] | None
    error: dict[str, object] | None


@dataclass(slots=True)
class Batch:
    """1 to 100 items as they were sent, unread: only a 2025-03-26 session may go on to `parse_item`."""

    items: list[object]


Message = Request | Notification | Response


def parse(raw: bytes, headers: RoutingHeaders) -> Message | Batch:
    """Read one POST body. Raises `MessageFault` and nothing else.

    A modern request is judged in this order: shape, `_meta`, header against body, version, log level. All but the
    first is in `core.mcp.modern_envelope`.
    """
    return parse_value(loads(raw), headers)


def parse_value(value: object, headers: RoutingHeaders) -> Message | Batch:
    """As `parse`, for a body that was read with the same limits (`core.mcp.json_limits.loads`)."""
    if isinstance(value, dict):
        return _plain_request(value, headers) or judge(value, headers)
    if isinstance(value, list):
        return _batch(value, headers)
    raise MessageFault(INVALID_REQUEST, "The body must be one JSON-RPC object.")


def parse_item(item: object) -> Message:
    """Read one item of a legacy batch. Raises `MessageFault`; its `http_status` has no meaning within a batch."""
    if not isinstance(item, dict):
        raise MessageFault(INVALID_REQUEST, "Each item of a batch must be one JSON-RPC object.")
    no_headers = RoutingHeaders()
    if era_of(item.get("params"), no_headers) is Era.MODERN:
        raise MessageFault(
            INVALID_REQUEST, "A batch cannot hold a 2026-07-28 message.", 400, valid_id(item.get("id"))
        )
    return judge(item, no_headers)


def valid_id(value: object) -> MessageId | None:
    """`value` if it may be the id of a JSON-RPC message, else None.

    A string of at most 256 bytes, or an integer that fits 64 bit. A float is refused even if it is whole:
    orjson reads integers beyond 64 bit as floats, and an id must come back as it was sent.
    """
    if isinstance(value, str):
        # Four bytes is the most that one character takes.
        if len(value) * 4 <= MAX_ID_BYTES or len(value.encode("utf-8", "replace")) <= MAX_ID_BYTES:
            return value
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return None


def _plain_request(message: dict[str, object], headers: RoutingHeaders) -> Request | None:
    """The request in a message with which nothing can be wrong, found in one look; None is "not certain"."""
    if len(message) != 4 or message.get("jsonrpc") != "2.0":
        return None
    request_id, method, params = message.get("id"), message.get("method"), message.get("params")
    if type(request_id) is str:
        if len(request_id) * 4 > MAX_ID_BYTES:
            return None
    elif type(request_id) is not int:
        return None
    if type(method) is not str or type(params) is not dict or not method:
        return None
    meta = plain_meta(method, params, headers)
    if meta is not None:
        return Request(request_id, method, params, Era.MODERN, meta)
    if "_meta" not in params and headers.protocol_version in _PLAINLY_LEGACY:
        return Request(request_id, method, params, Era.LEGACY, {})
    return None


def _batch(items: list[object], headers: RoutingHeaders) -> Batch:
    if is_modern_by_header(headers):
        raise MessageFault(INVALID_REQUEST, "Batches do not exist in this protocol version; send one message.")
    if not items:
        raise MessageFault(INVALID_REQUEST, "The batch is empty.")
    if len(items) > MAX_BATCH:
        raise MessageFault(INVALID_REQUEST, f"A batch may hold at most {MAX_BATCH} messages.")
    return Batch(items)


def judge(message: dict[str, object], headers: RoutingHeaders) -> Message:
    """Read one message member by member. Raises `MessageFault`."""
    request_id = valid_id(message.get("id"))
    params = message.get("params")
    era = era_of(params, headers)
    # A legacy SDK takes any status but 200 for a broken transport, yet can match only an id that it sent.
    status = 200 if era is Era.LEGACY and request_id is not None else 400

    if message.get("jsonrpc") != "2.0":
        raise MessageFault(INVALID_REQUEST, 'The member "jsonrpc" must be "2.0".', status, request_id)
    if "method" not in message and ("result" in message or "error" in message):
        return _response(message, request_id, era)
    method = message.get("method")
    if not isinstance(method, str) or not method:
        raise MessageFault(INVALID_REQUEST, 'The member "method" must be a string.', status, request_id)
    if "result" in message or "error" in message:
        raise MessageFault(INVALID_REQUEST, "A message is either a request or a response.", status, request_id)
    if "id" in message and request_id is None:
        raise MessageFault(
            INVALID_REQUEST,
            f'The member "id" must be a string of at most {MAX_ID_BYTES} bytes or a 64-bit integer.',
        )
    if request_id is None and not method.startswith("notifications/"):
        raise MessageFault(INVALID_REQUEST, 'The member "id" is missing.')
    # Some clients write an absent member as null.
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise MessageFault(INVALID_REQUEST, 'The member "params" must be an object.', status, request_id)
    if request_id is None:
        return _notification(method, params, era, headers)
    return _request(request_id, method, params, era, headers)


def _response(message: dict[str, object], response_id: MessageId | None, era: Era) -> Response:
    if era is Era.MODERN:
        raise MessageFault(INVALID_REQUEST, "Clients do not send responses in this protocol version.")
    if response_id is None:
        raise MessageFault(INVALID_REQUEST, 'The member "id" of a response must be the id of the request.')
    result, error = message.get("result"), message.get("error")
    if "error" not in message and isinstance(result, dict):
        return Response(response_id, result, None)
    if "result" not in message and _is_error(error):
        return Response(response_id, None, cast("dict[str, object]", error))
    # No id goes back: it is one of ours, and the client awaits nothing under it.
    raise MessageFault(INVALID_REQUEST, "A response has either a result object, or an error with code and message.")


def _is_error(error: object) -> bool:
    if not isinstance(error, dict):
        return False
    code = error.get("code")
    return isinstance(code, int) and not isinstance(code, bool) and isinstance(error.get("message"), str)


def _notification(method: str, params: dict[str, object], era: Era, headers: RoutingHeaders) -> Notification:
    if era is Era.MODERN:
        check_notification(method, params, headers)
    return Notification(method, params, era)


def _request(
    request_id: MessageId, method: str, params: dict[str, object], era: Era, headers: RoutingHeaders
) -> Request:
    if era is Era.MODERN:
        meta = check_request(request_id, method, params, headers)
        return Request(request_id, method, params, era, meta)
    legacy_meta = params.get("_meta")
    if legacy_meta is None:
        return Request(request_id, method, params, era, {})
    if not isinstance(legacy_meta, dict):
        raise MessageFault(INVALID_PARAMS, "params._meta must be an object.", 200, request_id)
    return Request(request_id, method, params, era, legacy_meta)
