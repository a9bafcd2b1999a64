"""From what the server says to a call to the HTTP answer: a JSON text, or an event stream where more came before."""

import asyncio
from typing import Any, Final

import orjson
from aiohttp import web

from bridge.calls import Call
from bridge.other_era import answer_for
from bridge.refused import Refused, too_slow
from bridge.run import Run
from bridge.sessions import Ear
from core.internal_server import NAMELESS
from core.mcp.event_stream import COMMENT_KEEPALIVE, encode_event
from core.mcp.faults import (
    HEADER_MISMATCH,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    UNSUPPORTED_VERSION,
)
from core.mcp.message import Request
from core.mcp.versions import Era

Json = dict[str, Any]
KEEP_ALIVE_S: Final = 15.0
"""Between two signs of life on a stream."""
_STREAM: Final = {
    **NAMELESS,
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
# MCP 2026-07-28, transports: these errors have a status of their own.
_STATUS: Final = {METHOD_NOT_FOUND: 404, HEADER_MISMATCH: 400, MISSING_CAPABILITY: 400, UNSUPPORTED_VERSION: 400}


def json_answer(status: int, body: Json, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON text."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={**NAMELESS, **(headers or {})},
    )


def refusal(refused: Refused, asked: Request | None) -> web.Response:
    """What the bridge refuses."""
    retry = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else {}
    return json_answer(refused.status, refused.body(None if asked is None else asked.id), retry)


async def answer(http: web.BaseRequest, asked: Request, call: Call, run: Run, within_s: float) -> web.StreamResponse:
    """Answer a call that runs. `within_s`: seconds from the call's begin to its answer."""
    assert run.era is not None  # calls are let through once it is known
    stream: web.StreamResponse | None = None
    clock = asyncio.timeout(within_s)
    try:
        async with clock:
            while "method" in (message := await _next(call, stream)):
                if stream is None:
                    stream = await _opened(http)
                await stream.write(encode_event(orjson.dumps(message)))
            last = answer_for(asked, message, run.era)
    except TimeoutError:
        if not clock.expired():
            raise
        call.refuse(too_slow(within_s))
        last = await call.next()
    if stream is None:
        return refusal(call.refused, asked) if call.refused else json_answer(_status(asked, last), last)
    await stream.write(encode_event(orjson.dumps(last)))
    await stream.write_eof()
    return stream


async def hear(http: web.BaseRequest, ear: Ear) -> web.StreamResponse:
    """A stream of what is said beside calls, until it is ended or the caller leaves."""
    stream = await _opened(http)
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                message = await ear.get()
        except TimeoutError:
            await stream.write(COMMENT_KEEPALIVE)
            continue
        if message is None:
            await stream.write_eof()
            return stream
        await stream.write(encode_event(orjson.dumps(message)))


async def _next(call: Call, stream: web.StreamResponse | None) -> Json:
    """The next message; on a stream that is open there are signs of life meanwhile."""
    if stream is None:
        return await call.next()
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                return await call.next()
        except TimeoutError:
            await stream.write(COMMENT_KEEPALIVE)


async def _opened(http: web.BaseRequest) -> web.StreamResponse:
    stream = web.StreamResponse(headers=_STREAM)
    _ = await stream.prepare(http)
    return stream


def _status(asked: Request, last: Json) -> int:
    error = last.get("error")
    if asked.era is Era.LEGACY or not isinstance(error, dict):
        return 200
    code = error.get("code")
    return _STATUS.get(code, 200) if isinstance(code, int) else 200
