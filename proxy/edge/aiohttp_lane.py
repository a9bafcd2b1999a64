"""The aiohttp lane: complete, and the reference for any other.

It turns aiohttp's request into a `Head`, reads the body within its cap and time, and writes an `Answer` or a
stream. What is served without a token is in `proxy/answers/plain.py`, by which method in `METHODS`; what is decided
is in `proxy/pipeline.py`; what is control's to answer is passed on (`passing_on.py`). The low-level `web.Server` is
used, not an application: paths are matched raw, by us, and nothing is normalised on the way.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, web

from core.mcp.event_stream import COMMENT_KEEPALIVE, encode_event
from proxy.answers.plain import public_answer
from proxy.answers.refused import answer_of_refusal, internal_error
from proxy.answers.refused_page import refused_page
from proxy.answers.sessions import end_session
from proxy.deps import Deps
from proxy.edge.answer_headers import METHODS, SECURITY_HEADERS, STREAM_HEADERS, own_headers
from proxy.edge.body_rules import judge_announced, seconds_for, too_slow
from proxy.edge.get_stream import hold_stream
from proxy.edge.passing_on import MOST_BODY, PassingOn
from proxy.edge.stream_sweep import StreamSweep
from proxy.edge.writing import PIECE, within, write_pieces, write_whole
from proxy.exchange import Answer, Exchange, Head
from proxy.pipeline import at_headers, at_message
from proxy.refusals import Refusal
from proxy.room import at_end, reserve
from proxy.telemetry.counting import AIOHTTP_LANE

log = logging.getLogger(__name__)
Serve = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Begins a task for one request."""


class AiohttpOutlet:
    """A caller's connection in the aiohttp lane, as the stages see it."""

    def __init__(self, request: web.BaseRequest, write_seconds: float, serve: Serve, *, last: bool = False) -> None:
        self._request, self._write_seconds, self._serve, self._last = request, write_seconds, serve, last
        self._response: web.StreamResponse | None = None
        self._sending = asyncio.Lock()
        """Held while something is written: a large event is, in pieces."""
        self.over = False
        """Whether the answer is there: then no comment may come any more."""
        self.gone = False
        self.headers: dict[str, str] = {}

    @property
    def streaming(self) -> bool:
        """Whether an event stream was begun."""
        return self._response is not None

    @property
    def response(self) -> web.StreamResponse:
        """The stream."""
        assert self._response is not None
        return self._response

    async def send_event(self, message: bytes) -> None:
        """One message as one event."""
        await self.send(encode_event(message))

    async def send(self, chunk: bytes) -> None:
        """Raw bytes of the stream; nothing once the caller has left, or has read nothing for too long."""
        async with self._sending:
            if self.gone:
                return
            try:
                if self._response is None:
                    await self._begin()
                await write_pieces(self._write_seconds, self._request, self.response, chunk)
            except (ConnectionError, RuntimeError):
                self.gone = True

    async def _begin(self) -> None:
        self._response = web.StreamResponse(headers=STREAM_HEADERS | self.headers)
        if self._last or self._request.version < HttpVersion11:
            # To HTTP/1.0 only the connection's end tells the stream's; aiohttp says so and goes on.
            self._response.force_close()
        await within(self._write_seconds, self._request, self._response.prepare(self._request))

    def keep_alive(self) -> None:
        """A comment, which may be the first of the stream; nothing while something else is being written."""
        if not self._sending.locked():
            _ = self._serve(self._comment())

    async def _comment(self) -> None:
        if not self.over:
            await self.send(COMMENT_KEEPALIVE)

    async def end(self, answer: Answer | None = None) -> web.StreamResponse:
        """The clean end of the stream, after an answer if there is one."""
        if answer is not None:
            await self.send_event(answer.body)
        response = self.response
        if not self.gone:
            try:
                await within(self._write_seconds, self._request, response.write_eof())
            except (ConnectionError, RuntimeError):
                self.gone = True
        return response


class AiohttpLane:
    """Answers every request of the public listener."""

    def __init__(self, deps: Deps, sweep: StreamSweep) -> None:
        self._deps, self._sweep = deps, sweep
        self._passing_on = PassingOn(deps, deps.to_pages) if deps.to_pages is not None else None

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is; raises only when the caller has left."""
        last = self._deps.draining or _is_last(request)
        outlet = AiohttpOutlet(request, self._deps.settings.write_seconds, self._deps.calls.serve, last=last)
        x = Exchange(head_of(request), outlet)
        if request._message.version not in (HttpVersion10, HttpVersion11):
            request._version = HttpVersion11  # else an answer's status line would say HTTP/0.9, which nobody can read
        outlet.headers = own_headers(x.request_id, _origin(x.head), self._deps.origins)
        self._deps.slots.add(AIOHTTP_LANE)
        try:
            if self._passing_on is not None and self._passing_on.takes(x.head.target):
                return await self._passed_on(x, request, self._passing_on)
            answer = await self._answered(x, request)
            outlet.over = True
            if answer is None or outlet.streaming:
                return await outlet.end(answer if x.head.method == "POST" else None)
            return await self._written(x, request, answer)
        finally:
            at_end(x, self._deps)

    async def _answered(self, x: Exchange, request: web.BaseRequest) -> Answer | None:
        """The answer, whatever goes wrong on the way to it."""
        try:
            return await self._route(x, request)
        except Refusal as refusal:
            return answer_of_refusal(x, refusal, self._deps)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            log.exception("a request failed inside", extra={"request_id": x.request_id})
            return internal_error(x)

    async def _passed_on(self, x: Exchange, request: web.BaseRequest, passing_on: PassingOn) -> web.StreamResponse:
        """Control's answer to a request that is not for a gateway, or why there is none."""
        try:
            passing_on.judge(x)
            body = await self._body(x, request, MOST_BODY) if request.can_read_body else b""
            return await passing_on.pass_on(x, request, body, last=_is_last(request))
        except Refusal as refusal:
            answer = refused_page(x, refusal, self._deps)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            log.exception("a request could not be passed on", extra={"request_id": x.request_id})
            if request.writer.output_size > 0:
                raise ConnectionResetError("the answer has begun; no other can follow") from None
            answer = internal_error(x)
        return await self._written(x, request, answer)

    async def _route(self, x: Exchange, request: web.BaseRequest) -> Answer | None:
        public = public_answer(x, self._deps)
        if public is not None:
            return public if isinstance(public, Answer) else await public
        pending = at_headers(x, self._deps)
        if pending is not None:
            await pending
        method = x.head.method
        if method not in METHODS:
            raise Refusal("method_not_allowed", method=method[:16])
        if method == "POST":
            x.body = await self._body(x, request)
            answer = await at_message(x, self._deps)
            if answer is None or x.subscription is None or answer.status != HTTPStatus.OK:
                return answer
            assert isinstance(x.outlet, AiohttpOutlet)
            await hold_stream(x, self._deps, self._sweep, x.outlet.send, answer.body)
            return None
        if method == "DELETE":
            return await end_session(x, self._deps)
        assert isinstance(x.outlet, AiohttpOutlet)
        await hold_stream(x, self._deps, self._sweep, x.outlet.send)
        return None

    async def _body(self, x: Exchange, request: web.BaseRequest, most: int | None = None) -> bytes:
        """The body: at most so many bytes, in time and not too slowly; a compressed one is not taken.

        Room is taken for what has come, never for what is announced: announcing costs a caller nothing. `most`: a cap
        in place of the setting's.
        """
        settings = self._deps.settings
        limit, seconds = settings.max_body if most is None else most, settings.body_seconds
        judge_announced(x, self._deps, request.content_length or 0, limit)
        _ask_for_body(x, request)
        parts: list[bytes] = []
        size = 0
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(began + seconds_for(0, seconds)) as clock:
                while chunk := await request.content.readany():
                    size += len(chunk)
                    if size > limit:
                        raise Refusal("body_too_large", limit=limit)
                    reserve(x, self._deps, len(chunk))
                    parts.append(chunk)
                    clock.reschedule(began + seconds_for(size, seconds))
        except TimeoutError:
            raise too_slow(size, seconds) from None
        except web.RequestPayloadError:
            raise Refusal("framing", what="the body does not fit its framing") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _written(self, x: Exchange, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        """Written here, not by aiohttp: it would wait without end for a caller that does not read."""
        assert isinstance(x.outlet, AiohttpOutlet)
        headers = SECURITY_HEADERS | x.outlet.headers | answer.headers
        if answer.body or answer.status not in {202, 204}:
            headers["Content-Type"] = answer.media_type
        reason, large = HTTPStatus(answer.status).phrase, len(answer.body) > PIECE
        response = (
            web.StreamResponse(status=answer.status, headers=headers, reason=reason)
            if large
            else web.Response(status=answer.status, body=answer.body, headers=headers, reason=reason)
        )
        if answer.close or self._deps.draining or _is_last(request):
            response.force_close()
        seconds = self._deps.settings.write_seconds
        if not large:
            await within(seconds, request, write_whole(request, response))
            return response
        response.content_length = len(answer.body)
        await within(seconds, request, response.prepare(request))
        await write_pieces(seconds, request, response, answer.body)
        await within(seconds, request, response.write_eof())
        return response


def head_of(request: web.BaseRequest) -> Head:
    """What aiohttp knows at the end of the header block."""
    message = request._message  # the raw target is kept nowhere else
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return Head(
        request.method,
        message.path,
        (message.version.major, message.version.minor),
        message.raw_headers,
        str(peer[0]) if isinstance(peer, tuple) else "",
    )


def _origin(head: Head) -> str:
    return next((value for name, value in head.raw_headers if name.lower() == b"origin"), b"").decode("latin-1")


def _ask_for_body(x: Exchange, request: web.BaseRequest) -> None:
    """Tell a caller that waits for it to send its body (RFC 9110 section 10.1.1): so far it is welcome."""
    expects = x.head.version == (1, 1) and x.headers.get("expect", "").lower() == "100-continue"
    if expects and not request.content.total_bytes and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _is_last(request: web.BaseRequest) -> bool:
    """Whether nothing may follow this request on its connection.

    One that came from the fast lane gets one answer here, and its caller's next begins there again. An upgrade is
    never taken up, but aiohttp forgets bytes that came behind one.
    """
    return "Upgrade" in request.headers or bool(getattr(request.protocol, "handed_over", False))
