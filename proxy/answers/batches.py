"""JSON-RPC batches: they exist only inside a session that negotiated 2025-03-26, where receivers must take them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.identifiers import new_id
from core.mcp.faults import INVALID_REQUEST, MessageFault
from core.mcp.message import Batch, Notification, Request, parse_item
from core.mcp.versions import Era
from proxy.answers.notifications import accept_notification
from proxy.answers.refused import faulty, refused
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal

_VERSION = "2025-03-26"
AnswerRequest = Callable[[Exchange, Deps], Awaitable[Answer | None]]


async def answer_batch(x: Exchange, deps: Deps, answer_request: AnswerRequest) -> Answer:
    """All answers in one array; 202 where nothing awaits one. Raises MessageFault outside of such a session."""
    assert isinstance(x.message, Batch)
    if x.session is None or x.session.version != _VERSION:
        raise MessageFault(INVALID_REQUEST, "Batches exist only in sessions of protocol version 2025-03-26.")
    answers = await asyncio.gather(*(_answer_item(x, deps, item, answer_request) for item in x.message.items))
    bodies = [answer.body for answer in answers if answer is not None and answer.body]
    return Answer(200, b"[" + b",".join(bodies) + b"]") if bodies else Answer(202)


async def _answer_item(x: Exchange, deps: Deps, item: object, answer_request: AnswerRequest) -> Answer | None:
    one = replace(x, outlet=_NoStream(), request_id=new_id(), era=Era.LEGACY, message=None, body=b"")
    try:
        one.message = parse_item(item)
        if isinstance(one.message, Notification):
            return await accept_notification(one, deps)
        if not isinstance(one.message, Request):
            raise MessageFault(INVALID_REQUEST, "No question is pending that this response could answer.")
        if one.message.method == "initialize":
            raise MessageFault(INVALID_REQUEST, "initialize must not be part of a batch.", 200, one.message.id)
        return await answer_request(one, deps)
    except Refusal as refusal:
        return refused(one, refusal, deps)
    except MessageFault as fault:
        return faulty(one, fault)


class _NoStream:
    """The answers of a batch go back together: what would be streamed beside one of them is left out."""

    streaming = False
    gone = False

    async def send_event(self, message: bytes) -> None:
        """Nothing."""
