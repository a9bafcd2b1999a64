"""The internal listener: control's questions to a proxy.

*Probe* asks an upstream what it speaks and offers, with the same code that calls it. *Explain* asks what would become
of a call, by the same stages. Every question carries control's 30-second token, bound to this request; the answer is
sealed. Without it: 403 and nothing more, but a control whose clock is off is told that; 404 for any other path,
method or size; 503 where as many questions of a kind are answered as may at once, or control cannot be asked in turn.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from core.clocks import CURE, REFUSED_FOR_CLOCK
from core.explain import PATH as EXPLAIN
from core.explain import ExplainQuestion
from core.internal_call import MAX_ANSWER, MAX_BODY, SCHEME, CallMistimed, CallRefused, InternalCalls
from core.internal_server import NAMELESS
from core.probes import Probe, ProbeQuestion
from proxy.caches.two_ages import SourceUnreachable
from proxy.explaining.explainer import Explainer
from proxy.upstream.probe import Prober

log = logging.getLogger(__name__)
_PROBE = "/internal/probe"
_BODY_S = 5.0
_SEAL = 1 << 10
"""Bytes that the seal may add."""
MOST_PROBES = 8
"""At once: each may hold a whole list of tools, and calls share the worker with them."""
MOST_EXPLAINED = 8
"""Questions of what would become of a call, at once: each compiles a gateway."""


class _Kind:
    """A kind of question: how it is read and answered, and how many at once."""

    def __init__(
        self, question: type[msgspec.Struct], answer: Callable[[Any], Awaitable[msgspec.Struct]], most: int
    ) -> None:
        self.question, self.answer, self.most = question, answer, most
        self.running = 0


class InternalListener:
    """Answers control's questions to this proxy, each sealed and bound to its question."""

    def __init__(self, calls: InternalCalls, prober: Prober, explainer: Explainer) -> None:
        self._calls, self._prober = calls, prober
        self._kinds = {
            _PROBE: _Kind(ProbeQuestion, prober.probe, MOST_PROBES),
            EXPLAIN: _Kind(ExplainQuestion, explainer.explain, MOST_EXPLAINED),
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """One question."""
        kind = self._kinds.get(request.path)
        if request.method != "POST" or kind is None or (request.content_length or 0) > MAX_BODY:
            return _bare(404)
        authorization = request.headers.get("Authorization", "")
        try:
            if not authorization.startswith(SCHEME):
                raise CallRefused("no proof")
            body = await _whole(request)
            call_id = self._calls.check(authorization, "POST", request.path, body)
            question = msgspec.msgpack.decode(body, type=kind.question)
        except CallMistimed as mistimed:
            log.warning("an internal question was refused for its time", extra={"why": str(mistimed), "cure": CURE})
            return web.Response(status=403, headers={**NAMELESS, **REFUSED_FOR_CLOCK})
        except (CallRefused, msgspec.MsgspecError, TimeoutError) as refused:
            log.warning("an internal question was refused", extra={"why": str(refused)})
            return _bare(403)
        if kind.running >= kind.most:
            return _bare(503)
        kind.running += 1
        try:
            found = await kind.answer(question)
            sealed = await asyncio.to_thread(self._sealed, call_id, found)  # megabytes, beside the calls
        except SourceUnreachable:
            return _bare(503)
        finally:
            kind.running -= 1
        return web.Response(body=sealed, content_type="application/octet-stream", headers=NAMELESS)

    def _sealed(self, call_id: str, found: msgspec.Struct) -> bytes:
        return self._calls.seal_answer(call_id, encoded(found))


def encoded(found: msgspec.Struct) -> bytes:
    """What was found, as control gets it; a fault in its place if control would not take so much."""
    answer = msgspec.msgpack.encode(found)
    if len(answer) <= MAX_ANSWER - _SEAL:
        return answer
    words = "What the server lists is larger than control takes from a proxy; it has to list less."
    return msgspec.msgpack.encode(Probe(fault="upstream_too_large", sentence=words))


def _bare(status: int) -> web.Response:
    return web.Response(status=status, headers=NAMELESS)


async def _whole(request: web.BaseRequest) -> bytes:
    """The body, in however many pieces it comes; raises CallRefused beyond its cap, TimeoutError when it is slow."""
    body = bytearray()
    async with asyncio.timeout(_BODY_S):
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > MAX_BODY:
                raise CallRefused("the body is too large")
    return bytes(body)
