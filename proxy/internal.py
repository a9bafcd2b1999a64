"""The internal listener: control's questions to a proxy.

*Probe* asks an upstream what it speaks and offers, with the same code that calls it. Every question carries control's
30-second token, bound to this request; the answer is sealed. Without it: 403 and nothing more, but a control whose
clock is off is told that; 404 for any other path, method or size; 503 where as many probes run as may at once.
"""

import asyncio
import logging

import msgspec
from aiohttp import web

from core.clocks import CURE, REFUSED_FOR_CLOCK
from core.internal_call import MAX_BODY, SCHEME, CallMistimed, CallRefused, InternalCalls
from core.internal_server import NAMELESS
from core.resolve import ProbeQuestion
from proxy.upstream.probe import Prober

log = logging.getLogger(__name__)
_PROBE = "/internal/probe"
_BODY_S = 5.0
MOST_PROBES = 8
"""At once: each may hold a whole list of tools, and calls share the worker with them."""


class InternalListener:
    """Answers control's questions to this proxy, each sealed and bound to its question."""

    def __init__(self, calls: InternalCalls, prober: Prober) -> None:
        self._calls, self._prober = calls, prober
        self._probing = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """One question."""
        if request.method != "POST" or request.path != _PROBE or (request.content_length or 0) > MAX_BODY:
            return _bare(404)
        authorization = request.headers.get("Authorization", "")
        try:
            if not authorization.startswith(SCHEME):
                raise CallRefused("no proof")
            body = await _whole(request)
            call_id = self._calls.check(authorization, "POST", request.path, body)
            question = msgspec.msgpack.decode(body, type=ProbeQuestion)
        except CallMistimed as mistimed:
            log.warning("an internal question was refused for its time", extra={"why": str(mistimed), "cure": CURE})
            return web.Response(status=403, headers={**NAMELESS, **REFUSED_FOR_CLOCK})
        except (CallRefused, msgspec.MsgspecError, TimeoutError) as refused:
            log.warning("an internal question was refused", extra={"why": str(refused)})
            return _bare(403)
        if self._probing >= MOST_PROBES:
            return _bare(503)
        self._probing += 1
        try:
            answer = msgspec.msgpack.encode(await self._prober.probe(question))
        finally:
            self._probing -= 1
        sealed = self._calls.seal_answer(call_id, answer)
        return web.Response(body=sealed, content_type="application/octet-stream", headers=NAMELESS)


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
