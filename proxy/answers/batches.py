"""JSON-RPC batches: they exist only inside a session that negotiated 2025-03-26, where receivers must take them.

A batch is one request in what it may cost: its answers together are at most as large as one server's answer may be.
Its requests are answered as any other; only `initialize`, which no batch may carry, is known here by its name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.identifiers import new_id
from core.mcp.faults import INVALID_REQUEST, MessageFault
from core.mcp.message import Batch, Notification, Request, parse_item
from core.mcp.versions import Era
from proxy.answers.notifications import accept_notification
from proxy.answers.refused import answer_of_refusal, faulty
from proxy.deps import Deps
from proxy.exchange import NO_STREAM, Answer, Exchange
from proxy.refusals import Refusal, overloaded
from proxy.room import at_end

_VERSION = "2025-03-26"
AT_ONCE = 4
"""Items of one batch that are answered at once."""
AnswerRequest = Callable[[Exchange, Deps], Awaitable[Answer | None]]


async def answer_batch(x: Exchange, deps: Deps, answer_request: AnswerRequest) -> Answer:
    """All answers in one array; 202 where nothing awaits one. Raises MessageFault outside of such a session."""
    assert isinstance(x.message, Batch)
    if x.session is None or x.session.version != _VERSION:
        raise MessageFault(INVALID_REQUEST, "Batches exist only in sessions of protocol version 2025-03-26.")
    share = _Share(x, deps, answer_request)
    bodies = [body for body in await asyncio.gather(*(share.answer(item) for item in x.message.items)) if body]
    return Answer(200, b"[" + b",".join(bodies) + b"]") if bodies else Answer(202)


class _Share:
    """What the items of one batch share: one caller's room for answers, and a few of its calls at once."""

    def __init__(self, x: Exchange, deps: Deps, answer_request: AnswerRequest) -> None:
        self._x, self._deps, self._answer_request = x, deps, answer_request
        self._places = asyncio.Semaphore(AT_ONCE)
        self._left = deps.settings.max_answer

    async def answer(self, item: object) -> bytes:
        """The answer to one item; nothing for a notification."""
        one = replace(self._x, outlet=NO_STREAM, request_id=new_id(), era=Era.LEGACY, message=None, body=b"")
        one.bytes_held = 0
        try:
            async with self._places:
                answer = await self._judged(one, item)
            return b"" if answer is None else answer.body
        finally:
            # Held until the whole batch is written, unless its caller has left meanwhile.
            self._x.bytes_held += one.bytes_held
            one.bytes_held, one.ended = 0, True
            if self._x.ended:
                at_end(self._x, self._deps)

    async def _judged(self, one: Exchange, item: object) -> Answer | None:
        try:
            return await self._answered(one, item)
        except Refusal as refusal:
            answer = answer_of_refusal(one, refusal, self._deps)
            # The other items of the batch are answered all the same.
            if refusal.row.kind == "http" and isinstance(one.message, Request):
                return faulty(one, MessageFault(refusal.row.code, refusal.sentence, 200, one.message.id))
            return answer
        except MessageFault as fault:
            return faulty(one, fault)

    async def _answered(self, one: Exchange, item: object) -> Answer | None:
        one.message = parse_item(item)
        if isinstance(one.message, Notification):
            return await accept_notification(one, self._deps)
        if not isinstance(one.message, Request):
            raise MessageFault(INVALID_REQUEST, "This server has no pending request for that response.")
        if one.message.method == "initialize":
            raise MessageFault(INVALID_REQUEST, "initialize must not be part of a batch.", 200, one.message.id)
        if self._left <= 0:
            raise overloaded()
        answer = await self._answer_request(one, self._deps)
        if answer is not None:
            self._fit(one, len(answer.body))
        return answer

    def _fit(self, one: Exchange, size: int) -> None:
        """Refuses an answer that has no room beside the others; what comes after it is not even asked."""
        room, self._left = self._left, self._left - size
        if room >= size:
            return
        self._left = 0
        if one.target is None:
            raise overloaded()
        raise Refusal("upstream_too_large", server=one.target.route.entry, limit=room, unit="bytes")
