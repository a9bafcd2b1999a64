"""How a fake MCP server sends an answer: JSON or event stream, late, cut, twice, or after a question.

Used by `tests.fakes.mcp_upstream` only; what is said is decided there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from tests.fakes.mcp_answers import JSON, Answer, Received, as_event, final_message, progress_message
from tests.fakes.mcp_by_itself import ByItself

QUESTION_DEADLINE_SECONDS = 30.0


class Sending:
    """Sends answers and keeps the questions to the client that are still open."""

    __slots__ = ("_asked", "_questions", "by_itself")

    def __init__(self, by_itself: ByItself) -> None:
        self.by_itself = by_itself
        self._asked = 0
        self._questions: dict[str, asyncio.Future[JSON]] = {}

    def client_answered(self, received: Received) -> web.Response:
        """A POSTed JSON-RPC response: hand it to the call that asked, or refuse it."""
        question = self._questions.pop(str(received.id), None)
        if question is None or question.done():
            return refusal(400, None, -32600, "no question with this id is pending")
        question.set_result(received.body)
        return web.Response(status=202)

    async def send(
        self, request: web.Request, received: Received, answer: Answer, *, modern: bool
    ) -> web.StreamResponse:
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.asks is not None and modern:
            answer = _asking_result(answer)
        if answer.streams or answer.asks is not None:
            return await self._send_stream(request, received, answer, modern=modern)
        if answer.hold is not None:
            await answer.hold.wait()
        if answer.cut:
            _reset(request)
        if answer.raw is not None:
            return web.Response(body=answer.raw, status=answer.status, headers=answer.headers)
        if answer.status != 200 and answer.error is None:
            return web.Response(status=answer.status, headers=answer.headers)
        message = final_message(answer, received.id, modern=modern)
        if answer.piece_bytes:
            return await _in_pieces(request, orjson.dumps(message), answer)
        return json_response(message, answer.status, answer.headers)

    async def _send_stream(
        self, request: web.Request, received: Received, answer: Answer, *, modern: bool
    ) -> web.StreamResponse:
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", **answer.headers}
        )
        await stream.prepare(request)
        for message in [*answer.before, *_progress(received, answer)]:
            await _write(stream, as_event(message), answer)
        if answer.asks is not None:
            answer = await self._ask(self.by_itself.of(received.session) if answer.aside else stream, answer)
        if answer.hold is not None:
            await answer.hold.wait()
        if answer.cut:
            _reset(request)
        for _ in range(answer.finals):
            await _write(stream, as_event(final_message(answer, received.id, modern=modern)), answer)
        await stream.write_eof()
        return stream

    async def _ask(self, stream: web.StreamResponse, answer: Answer) -> Answer:
        """Send a request to the client on this stream and wait for its POSTed answer (legacy eras only)."""
        if answer.asks is None or answer.then is None:
            raise ValueError("an answer that asks needs `then`: what to say once the client has answered")
        self._asked += 1
        # A string, so that a gateway which maps ids cannot confuse it with the numbers that clients count up.
        ask_id = f"upstream-asks-{self._asked}"
        method, params = answer.asks
        self._questions[ask_id] = asyncio.get_running_loop().create_future()
        await _write(stream, as_event({"jsonrpc": "2.0", "id": ask_id, "method": method, "params": params}), answer)
        reply = await asyncio.wait_for(self._questions[ask_id], QUESTION_DEADLINE_SECONDS)
        return answer.then(reply.get("result", reply.get("error")))


async def _in_pieces(request: web.Request, body: bytes, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, headers={"Content-Type": "application/json", **answer.headers}
    )
    if answer.chunked:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(body)
    await response.prepare(request)
    for start in range(0, len(body), answer.piece_bytes):
        await response.write(body[start : start + answer.piece_bytes])
        await asyncio.sleep(0)
    await response.write_eof()
    return response


def json_response(message: JSON, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(message),
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def refusal(status: int, request_id: Any, code: int, message: str, data: Any = None) -> web.Response:
    error: JSON = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return json_response({"jsonrpc": "2.0", "id": request_id, "error": error}, status)


def _asking_result(answer: Answer) -> Answer:
    """The modern way to ask: end the request with the question; the retry brings the answer."""
    method, params = answer.asks or ("", {})
    question = {"question": {"method": method, "params": params}}
    return Answer(result={"resultType": "input_required", "inputRequests": question}, stream=answer.stream)


def _progress(received: Received, answer: Answer) -> list[JSON]:
    token = received.meta.get("progressToken")
    if token is None:
        return []
    return [progress_message(token, step, answer.progress) for step in range(1, answer.progress + 1)]


def _reset(request: web.Request) -> None:
    """End the connection with a TCP reset, as a crashed server does."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError


async def _write(stream: web.StreamResponse, event: bytes, answer: Answer) -> None:
    size = answer.slice_bytes or len(event)
    for start in range(0, len(event), size):
        await stream.write(event[start : start + size])
        if answer.slice_bytes:
            await asyncio.sleep(0)
    if answer.pace:
        await asyncio.sleep(answer.pace)
