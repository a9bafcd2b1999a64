"""A call of a caller of one era at a server of the other: what becomes of its parameters and its result. Pure.

A proxy speaks the era of the server, so that all of this is for other callers. What has no form in the other era is
left out: questions to a caller, subscriptions, the level of logs.
"""

from typing import Any, Final

from core.mcp.faults import INTERNAL_ERROR, error_message
from core.mcp.message import Request
from core.mcp.methods import META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_PROTOCOL_VERSION
from core.mcp.versions import MODERN, Era, negotiate_legacy
from core.our_version import VERSION

Json = dict[str, Any]
OURSELVES: Final[dict[str, object]] = {"name": "archway-bridge", "version": VERSION}
_ENVELOPE: Final[dict[str, object]] = {
    META_PROTOCOL_VERSION: MODERN,
    META_CLIENT_CAPABILITIES: {},
    META_CLIENT_INFO: OURSELVES,
}
_MODERN_MEMBERS: Final = ("resultType", "ttlMs", "cacheScope")
_LISTS: Final = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_KEPT: Final = frozenset({*_LISTS, "resources/read"})
_NOT_TOLD: Final = frozenset({"listChanged", "subscribe"})


def envelope() -> Json:
    """`_meta` of a modern request of our own."""
    return dict(_ENVELOPE)


def params_for(asked: Request, era: Era) -> Json:
    """The parameters as a server of this era expects them. A copy; `_meta` too."""
    meta = dict(asked.meta)
    if asked.era is not era and era is Era.MODERN:
        meta = {**meta, **_ENVELOPE}
    elif asked.era is not era:
        for name in (META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL):
            meta.pop(name, None)
    params = dict(asked.params)
    if meta:
        params["_meta"] = meta
    else:
        params.pop("_meta", None)
    return params


def answer_for(asked: Request, answer: Json, era: Era) -> Json:
    """A server's answer as the caller expects it; the server is of this era."""
    result = answer.get("result")
    if asked.era is era or not isinstance(result, dict):
        return answer
    if asked.era is Era.MODERN:
        return {**answer, "result": _for_modern(result, asked.method)}
    if result.get("resultType", "complete") != "complete":
        sentence = "The server asks something that this protocol version cannot ask."
        return error_message(asked.id, INTERNAL_ERROR, sentence)
    return {**answer, "result": _for_legacy(result)}


def _for_modern(result: Json, method: str) -> Json:
    hints = {"ttlMs": 0, "cacheScope": "private"} if method in _KEPT else {}
    return {"resultType": "complete", **hints, **result}


def _for_legacy(result: Json) -> Json:
    """Without what only modern results have; structured content that is no object has no legacy form."""
    left_out = set(_MODERN_MEMBERS)
    if not isinstance(result.get("structuredContent"), dict):
        left_out.add("structuredContent")
    return {name: value for name, value in result.items() if name not in left_out}


def initialize_result(asked: object, discovered: Json) -> Json:
    """What `initialize` is answered for a modern server: what it said of itself in `server/discover`."""
    meta = discovered.get("_meta")
    info = meta.get("io.modelcontextprotocol/serverInfo") if isinstance(meta, dict) else None
    capabilities = discovered.get("capabilities")
    told = capabilities if isinstance(capabilities, dict) else {}
    result: Json = {
        "protocolVersion": negotiate_legacy(asked),
        "capabilities": {name: _still(capability) for name, capability in told.items() if name != "extensions"},
        "serverInfo": info if isinstance(info, dict) else OURSELVES,
    }
    if isinstance(discovered.get("instructions"), str):
        result["instructions"] = discovered["instructions"]
    return result


def _still(capability: object) -> object:
    """A capability without what would be told on a stream, which such a session has not."""
    if not isinstance(capability, dict):
        return capability
    return {name: value for name, value in capability.items() if name not in _NOT_TOLD}
