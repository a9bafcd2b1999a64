"""What the gateway answers by itself, without any upstream: opening, discovery, ping and the list of tools.

`proxy/methods.py` says which method each function answers. None of them waits, so `server/discover` and `tools/list`
do not depend on an upstream being up.
"""

import orjson

from core.mcp.extensions import TASKS
from core.mcp.faults import result_message
from core.mcp.message import Request
from core.mcp.shapes import META_SERVER_INFO
from core.mcp.versions import MODERN, negotiate_legacy
from core.snapshot import OFFER_KINDS
from proxy.answers.paging import no_such_page
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.our_name import server_info
from proxy.sessions.client_capabilities import bits_of
from proxy.telemetry.metrics import LISTS

_DISCOVER_TTL_MS = 60_000


def initialize(x: Exchange, deps: Deps) -> Answer:
    """Open a legacy session (MCP 2025-11-25, lifecycle)."""
    assert x.gateway is not None
    params = x.request.params
    version = negotiate_legacy(params.get("protocolVersion"))
    bits = bits_of(params.get("capabilities"))
    session_id, x.session = deps.sessions.new(x.gateway.id, x.caller, version, bits)
    result: dict[str, object] = {
        "protocolVersion": version,
        "capabilities": _capabilities(x.gateway),
        "serverInfo": server_info(x.gateway.snapshot.name),
    }
    if x.gateway.snapshot.instructions:
        result["instructions"] = x.gateway.snapshot.instructions
    answer = _answer(x.request, result)
    answer.headers["Mcp-Session-Id"] = session_id
    return answer


def _capabilities(gateway: CompiledGateway) -> dict[str, object]:
    """What this gateway can do for its callers: tools always, the rest where some server offers it."""
    told: dict[str, object] = {"tools": {"listChanged": True}, "logging": {}}
    offered = [kind for kind in OFFER_KINDS if gateway.offers(kind)]
    for kind in offered:
        told[kind] = {"listChanged": True, "subscribe": True} if kind == "resources" else {"listChanged": True}
    if offered:
        told["completions"] = {}
    if gateway.app_pages:
        told.setdefault("resources", {})
    return told


def discover(x: Exchange, deps: Deps) -> Answer:
    """`server/discover` (MCP 2026-07-28)."""
    assert x.gateway is not None
    result: dict[str, object] = {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": {**_capabilities(x.gateway), "extensions": {TASKS: {}}},
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
    listed = x.gateway.tool_lists[x.era].get(cursor) if cursor is None or isinstance(cursor, str) else None
    if listed is None:
        raise no_such_page(x)
    return Answer(200, b'{"jsonrpc":"2.0","id":%b%b' % (orjson.dumps(x.request.id), listed))


def _answer(request: Request, result: dict[str, object]) -> Answer:
    return Answer(200, orjson.dumps(result_message(request.id, result)))
