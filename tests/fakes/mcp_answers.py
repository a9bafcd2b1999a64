"""What a fake MCP server may be told to answer, and what it remembers of a request.

Used by `tests.fakes.mcp_upstream`; tests import `Answer` and `Received` from there. Nothing here does I/O.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

JSON = dict[str, Any]
PREPARES: JSON = {"prepares": "the proxy for a call that is tested"}
"""Arguments of a call that is answered and forgotten: it leaves the scripts and what was seen as they are."""


@dataclass(slots=True)
class Received:
    """One HTTP request as it arrived, kept before anything judged it."""

    http_method: str
    path: str
    headers: Mapping[str, str]  # case-insensitive, repeated names kept (`getall`)
    raw: bytes
    body: Any = None  # parsed JSON, or None where there was none or it was not JSON
    abandoned: bool = False  # the client closed the connection before the answer was complete
    answered: bool = False

    @property
    def method(self) -> str | None:
        """The JSON-RPC method; None for answers, GET, DELETE and bodies that are not one object."""
        return self.body.get("method") if isinstance(self.body, dict) else None

    @property
    def id(self) -> Any:
        return self.body.get("id") if isinstance(self.body, dict) else None

    @property
    def params(self) -> JSON:
        return (self.body.get("params") or {}) if isinstance(self.body, dict) else {}

    @property
    def meta(self) -> JSON:
        return self.params.get("_meta") or {}

    @property
    def tool(self) -> str | None:
        return self.params.get("name") if self.method == "tools/call" else None

    @property
    def arguments(self) -> JSON:
        return self.params.get("arguments") or {}

    @property
    def prepares(self) -> bool:
        """Whether this is a call that only prepares the proxy."""
        return self.method == "tools/call" and isinstance(self.params, dict) and self.arguments == PREPARES

    @property
    def session(self) -> str | None:
        return self.headers.get("Mcp-Session-Id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. Give what it says, then how it is sent; the rest stays as a well-behaved server has it.

    What it says: exactly one of `text`, `result`, `error`, `raw`, or a bare `status`.
    """

    text: str | None = None
    structured: Any = None  # structuredContent beside the text
    is_error: bool = False
    result: JSON | None = None  # the whole result object, sent as it is
    error: tuple[int, str] | tuple[int, str, Any] | None = None  # JSON-RPC code, message, data
    raw: bytes | None = None  # the body, byte for byte, with `headers` and `status`
    meta: JSON | None = None

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False  # as text/event-stream even where nothing precedes the result
    progress: int = 0  # that many progress notifications first, if the call brought a token
    before: Sequence[JSON] = ()  # any messages first (log messages, a request, garbage)
    asks: tuple[str, JSON] | None = None  # method and params of a question to the client, first
    aside: bool = False  # it is asked on the session's own stream
    then: Callable[[Any], Answer] | None = None  # what to answer once the client has answered the question

    delay: float = 0.0  # seconds before the first byte
    pace: float = 0.0  # seconds between events
    hold: asyncio.Event | None = None  # the final answer waits for it
    slice_bytes: int = 0  # cut an event stream into writes of this size, wherever that falls
    piece_bytes: int = 0  # cut a JSON body into writes of this size
    chunked: bool = False  # and send each as a chunk, without a length
    wrong_id: bool = False
    finals: int = 1  # 2: the final answer twice; 0: the stream ends without one
    cut: bool = False  # the connection is reset where the final answer should stand
    forget_session: bool = False  # the session ends now: 404 for this request and all later ones

    @property
    def streams(self) -> bool:
        """Must this go out as an event stream, because something precedes the final answer?"""
        return bool(self.stream or self.progress or self.before or self.finals != 1 or self.slice_bytes)


Script = Answer | Sequence[Answer] | Callable[[Received], Answer | Awaitable[Answer]]


class Scripts:
    """The answers of one tool or method: a fixed one, the next of a list (the last repeats), a function's."""

    __slots__ = ("_script", "calls")

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls = 0

    async def next(self, received: Received) -> Answer:
        self.calls += 1
        script = self._script
        if isinstance(script, Answer):
            return script
        if isinstance(script, Sequence):
            return script[min(self.calls, len(script)) - 1]
        made = script(received)
        return made if isinstance(made, Answer) else await made


def echo(received: Received) -> Answer:
    """The tool that every fake has: its arguments come back as JSON text."""
    return Answer(text=orjson.dumps(received.arguments, option=orjson.OPT_SORT_KEYS).decode())


def final_message(answer: Answer, request_id: Any, *, modern: bool) -> JSON:
    """The JSON-RPC message that ends the request."""
    if answer.wrong_id:
        request_id = f"not-{request_id}"
    if answer.error is not None:
        code, message, *data = answer.error
        error: JSON = {"code": code, "message": message}
        if data:
            error["data"] = data[0]
        return {"jsonrpc": "2.0", "id": request_id, "error": error}
    return {"jsonrpc": "2.0", "id": request_id, "result": _result(answer, modern=modern)}


def _result(answer: Answer, *, modern: bool) -> JSON:
    if answer.result is not None:
        result = dict(answer.result)
    else:
        result = {"content": [{"type": "text", "text": answer.text or ""}]}
        if answer.is_error:
            result["isError"] = True
        if answer.structured is not None:
            result["structuredContent"] = answer.structured
    if answer.meta is not None:
        result["_meta"] = {**result.get("_meta", {}), **answer.meta}
    if modern:
        result.setdefault("resultType", "complete")
    return result


def progress_message(token: Any, step: int, total: int) -> JSON:
    params = {"progressToken": token, "progress": step, "total": total, "message": f"step {step} of {total}"}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def as_event(message: JSON) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    return b"event: message\ndata: " + orjson.dumps(message) + b"\n\n"
