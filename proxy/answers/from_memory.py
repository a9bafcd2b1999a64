"""What the gateway answers by itself, without any upstream: opening, discovery, ping and the list of tools.

`proxy/methods.py` says which method each function answers. None of them waits, so `server/discover` and `tools/list`
do not depend on an upstream being up.
"""

import base64
import binascii
from typing import Final

import orjson

from core.mcp.faults import INVALID_PARAMS, MessageFault, result_message
from core.mcp.message import Request
from core.mcp.shapes import META_SERVER_INFO
from core.mcp.versions import MODERN, Era, negotiate_legacy
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.our_name import server_info
from proxy.telemetry.metrics import LISTS

_CAPABILITIES: Final[dict[str, object]] = {"tools": {"listChanged": False}}
_DISCOVER_TTL_MS = 60_000
_LIST_TTL_MS = 10_000
CLIENT_CAPABILITIES: Final = ("elicitation", "sampling", "roots")
"""Bit by bit in a session: what the client said it can."""
URL_ELICITATION: Final = 1 << len(CLIENT_CAPABILITIES)
"""A bit more: it can show a link to its person. `elicitation` alone says only that it can show a form."""


def initialize(x: Exchange, deps: Deps) -> Answer:
    """Open a legacy session (MCP 2025-11-25, lifecycle)."""
    assert x.gateway is not None
    params = x.request.params
    version = negotiate_legacy(params.get("protocolVersion"))
    bits = _bits(params.get("capabilities"))
    session_id, x.session = deps.sessions.new(x.gateway.id, x.caller, version, bits)
    result: dict[str, object] = {
        "protocolVersion": version,
        "capabilities": _CAPABILITIES,
        "serverInfo": server_info(x.gateway.snapshot.name),
    }
    if x.gateway.snapshot.instructions:
        result["instructions"] = x.gateway.snapshot.instructions
    answer = _answer(x.request, result)
    answer.headers["Mcp-Session-Id"] = session_id
    return answer


def _bits(declared: object) -> int:
    if not isinstance(declared, dict):
        return 0
    elicitation = declared.get("elicitation")
    shows_links = isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)
    known = sum(1 << place for place, name in enumerate(CLIENT_CAPABILITIES) if name in declared)
    return known | (URL_ELICITATION if shows_links else 0)


def discover(x: Exchange, deps: Deps) -> Answer:
    """`server/discover` (MCP 2026-07-28)."""
    assert x.gateway is not None
    result: dict[str, object] = {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": _CAPABILITIES,
        "ttlMs": _DISCOVER_TTL_MS,
        "cacheScope": "private",
        "_meta": {META_SERVER_INFO: server_info(x.gateway.snapshot.name)},
    }
    if x.gateway.snapshot.instructions:
        result["instructions"] = x.gateway.snapshot.instructions
    return _answer(x.request, result)


def ping(x: Exchange, deps: Deps) -> Answer:
    """An empty result: that we are here."""
    return _answer(x.request, {})


def list_tools(x: Exchange, deps: Deps) -> Answer:
    """`tools/list`, a page at a time, from bytes made with the snapshot."""
    assert x.gateway is not None
    deps.slots.add(LISTS)
    cursor = x.request.params.get("cursor")
    number = 0 if cursor is None else _page_number(cursor)
    page = None if number is None else x.gateway.page(x.era, number)
    if page is None or number is None:
        raise MessageFault(
            INVALID_PARAMS,
            "params.cursor is not a cursor of this list; leave it out to begin at the first page.",
            400 if x.era is Era.MODERN else 200,
            x.request.id,
        )
    tools, more = page
    parts = [b'{"jsonrpc":"2.0","id":', orjson.dumps(x.request.id), b',"result":{"tools":', tools]
    if more:
        parts += [b',"nextCursor":', orjson.dumps(_cursor(number + 1))]
    if x.era is Era.MODERN:
        meta = {META_SERVER_INFO: server_info(x.gateway.snapshot.name)}
        parts += [
            b',"resultType":"complete","ttlMs":%d,"cacheScope":"private","_meta":' % _LIST_TTL_MS,
            orjson.dumps(meta),
        ]
    parts.append(b"}}")
    return Answer(200, b"".join(parts))


def _answer(request: Request, result: dict[str, object]) -> Answer:
    return Answer(200, orjson.dumps(result_message(request.id, result)))


def _cursor(page: int) -> str:
    return base64.urlsafe_b64encode(b"page:%d" % page).decode()


def _page_number(cursor: object) -> int | None:
    """The page of one of our cursors; None for anything else. The empty cursor is none of ours."""
    if not isinstance(cursor, str) or len(cursor) > 64:
        return None
    try:
        kind, _, number = base64.b64decode(cursor, altchars=b"-_", validate=True).partition(b":")
        return int(number) if kind == b"page" else None
    except (binascii.Error, ValueError):
        return None
