"""Ask the caller: a server's question goes to a legacy client on the stream of its call, and its answer comes back.

Used by `receive` for servers of both eras. A server is told of what a client can alone where the gateway allows it
(`may_be_asked`), so one that asks for more gets an error. The caller reads who asks, and where a link leads; a link
to a host of ours is not passed on.
"""

import asyncio
from typing import Final

import orjson

from core.identifiers import new_id
from core.mcp.faults import INVALID_REQUEST, METHOD_NOT_FOUND
from core.mcp.questions import why_not_asked, with_who
from core.mcp.versions import LATEST_LEGACY
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.pending_questions import Answered, PendingQuestion
from proxy.stages.who_asks import leads_to_us, who_asks

QUESTION_S: Final = 300.0
"""How long a person has for an answer."""
_KEY: Final = "asked"


async def ask_caller(x: Exchange, deps: Deps, method: str, params: dict[str, object]) -> Answered:
    """What the client answers, or an error in its place, which says why there is no answer."""
    assert x.outbound is not None
    request: dict[str, object] = {"method": method, "params": params}
    why = why_not_asked({_KEY: request}, x.outbound.capabilities)
    if why is not None:
        return _error(METHOD_NOT_FOUND, f"This client cannot be asked that: {why}.")
    if leads_to_us(request, deps.hosts):
        return _error(INVALID_REQUEST, "This link is not passed on.")
    if x.session is None or x.outlet.gone or x.ended:
        return _error(INVALID_REQUEST, "The client has left.")
    try:
        with deps.questions.begin(x.session.jti, x.caller.key) as question:
            return await _answered(x, question, _for_legacy(x, with_who(request, who_asks(x))))
    except Refusal as refusal:
        return _error(INVALID_REQUEST, refusal.sentence)
    except TimeoutError:
        return _error(INVALID_REQUEST, f"The client did not answer within {QUESTION_S:g} s.")


async def _answered(x: Exchange, question: PendingQuestion, request: dict[str, object]) -> Answered:
    await x.outlet.send_event(orjson.dumps({"jsonrpc": "2.0", "id": question.id, **request}))
    async with asyncio.timeout(QUESTION_S):
        return await question.answer


def _for_legacy(x: Exchange, request: dict[str, object]) -> dict[str, object]:
    """As the caller's revision has it: a link has an identifier, and before links there were no modes."""
    params = request["params"]
    assert isinstance(params, dict)
    if request["method"] != "elicitation/create":
        return request
    if params.get("mode") == "url":
        return {**request, "params": {"elicitationId": new_id(), **params}}
    if x.version < LATEST_LEGACY and "mode" in params:
        return {**request, "params": {name: value for name, value in params.items() if name != "mode"}}
    return request


def _error(code: int, message: str) -> Answered:
    return {"error": {"code": code, "message": message}}
