"""Relay: the upstream's result in the form of the caller's era, as JSON, or as the last event of a stream begun."""

import orjson

from core.mcp.faults import result_message
from core.mcp.shapes import result_for_legacy, result_for_modern, result_type
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.identity import server_info
from proxy.refusals import Refusal


async def relay(x: Exchange, deps: Deps) -> None:
    """Fill answer and status, or send the last event. Refuses results that only an unmet capability explains."""
    assert x.connection is not None
    assert x.gateway is not None
    result = _as_tool_result(x)
    try:
        unfinished = result_type(result) != "complete"
    except ValueError:
        raise Refusal("upstream_broken", server=x.connection.entry, detail="unknown resultType") from None
    if unfinished:
        raise Refusal("upstream_asks", server=x.connection.entry)
    x.status = "tool_error" if result.get("isError") is True else "ok"
    shaped = (
        result_for_modern(result, server_info(x.gateway.snapshot.name))
        if x.era is Era.MODERN
        else result_for_legacy(result, x.version)
    )
    await send(x, orjson.dumps(result_message(x.request.id, shaped)))


async def send(x: Exchange, body: bytes) -> None:
    """The caller's final message, by whichever way is open."""
    x.bytes_out = len(body)
    if x.outlet.streaming:
        await x.outlet.send_event(body)
    else:
        x.answer = Answer(200, body)


def _as_tool_result(x: Exchange) -> dict[str, object]:
    """A resource that is offered as a tool answers with its contents, embedded."""
    assert x.tool is not None
    assert x.result is not None
    assert x.connection is not None
    if x.tool.tool.kind == "tool":
        return x.result
    contents = x.result.get("contents")
    if not isinstance(contents, list):
        raise Refusal("upstream_broken", server=x.connection.entry, detail="resources/read without contents")
    return {"content": [{"type": "resource", "resource": item} for item in contents], "isError": False}
