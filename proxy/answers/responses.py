"""A legacy client's answer to a question that a server asked in the middle of one of its calls.

It goes to the call that waits for it, here or in the worker that has the call. What answers no question that a worker
can have asked is refused.
"""

from typing import Final

import orjson

from core.mcp.message import Response
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal, overloaded
from proxy.sessions.mailbox import Letter
from proxy.sessions.pending_questions import Answered, may_be_ours

MOST_BYTES: Final = 1 << 20
"""Of an answer that goes to another worker."""


def check_response(x: Exchange) -> None:
    """Raises Refusal `response_unasked` for what answers no question that a worker can have asked."""
    assert isinstance(x.message, Response)
    if x.session is None or not may_be_ours(x.message.id):
        raise Refusal("response_unasked")


async def accept_response(x: Exchange, deps: Deps) -> Answer:
    """202. Raises Refusal `response_unasked`; `body_too_large`, `overloaded` for what another worker does not get."""
    check_response(x)
    message = x.message
    assert isinstance(message, Response)
    assert x.session is not None
    answered: Answered = {"result": message.result} if message.result is not None else {"error": message.error}
    if deps.questions.answer(x.session.jti, message.id, answered):
        return Answer(202)
    body = orjson.dumps(answered)
    if len(body) > MOST_BYTES:
        raise Refusal("body_too_large", limit=MOST_BYTES)
    if not deps.questions.may_send(x.caller.key, len(body)):
        raise overloaded()
    await deps.mailbox.post(Letter("answer", x.session.jti, message.id, body))
    return Answer(202)
