"""Suspend: a legacy server asks a modern caller in the middle of a call.

The caller gets the question as its result (`input_required`), with a state that names the waiting call and opens for
this caller, target and arguments alone, while these have the same server and account. When they call again with their
answers, the same call goes on to its end or to the next question; it is never made a second time. In whichever worker
they come back, the one that has the call goes on with it: `proxy/sessions/elsewhere.py` asks for that. Called by
`receive`.
"""

from typing import Any

from core.mcp.questions import with_who
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.limits.running_calls import Asked, Through
from proxy.refusals import overloaded
from proxy.sessions.call_state import CallState, close_state, place_of
from proxy.sessions.elsewhere import in_letter
from proxy.sessions.suspended_calls import Converse, Json, SuspendedCall
from proxy.stages.take_answers import bound_to
from proxy.stages.who_asks import who_asks, why_not_passed_on


async def begin_call(x: Exchange, deps: Deps, converse: Converse) -> Json | None:
    """The message that answers a call that may be suspended; None where its result is a question for the caller."""
    call = deps.suspended.here.begin(bound_to(x), _asked(x), converse)
    return await _go_on(x, deps, call)


async def resume_call(x: Exchange, deps: Deps) -> Json | None:
    """The same for a caller who is back with answers. Refuses `question_gone` where the call waits no more; where it
    may wait elsewhere, `overloaded` if they ask too often or too much, and `body_too_large`.
    """
    assert x.retry is not None
    call = deps.suspended.here.find(x.retry.suspended, bound_to(x))
    if call is None:
        answers = in_letter(x.retry.answers or {})
        if not deps.questions.may_send(x.caller.key, len(answers)):
            raise overloaded()
        message, questions = await deps.suspended.go_on(x.retry.suspended, bound_to(x), answers)
        if message is None:
            _ask(x, deps, x.retry.suspended, questions)
        return message
    call.answer(x.retry.answers or {})
    return await _go_on(x, deps, call)


async def _go_on(x: Exchange, deps: Deps, call: SuspendedCall) -> Json | None:
    try:
        message = await call.outcome()
    except BaseException:
        call.give_up()
        raise
    if message is None:
        _ask(x, deps, call.id, call.questions)
    return message


def _ask(x: Exchange, deps: Deps, suspended: str, questions: dict[str, Json]) -> None:
    """The result that asks the caller."""
    assert x.installation is not None
    who = who_asks(x)
    inside = CallState.of(x.asked + 1, place=place_of(x.installation), suspended=suspended)
    x.result = {
        "resultType": "input_required",
        "inputRequests": {key: with_who(_for_modern(one), who) for key, one in questions.items()},
        "requestState": close_state(deps.settings.key_ring, inside, bound_to(x)),
    }
    x.asks = True


def why_not(x: Exchange, deps: Deps, request: Json) -> str | None:
    """Why this question may not go to the caller; None where it may."""
    return why_not_passed_on(x, {"asked": request}, deps.hosts)


def _for_modern(request: Json) -> dict[str, Any]:
    """Without the identifier of a link, which modern revisions do not know."""
    params = {name: value for name, value in request["params"].items() if name != "elicitationId"}
    return {"method": request["method"], "params": params}


def _asked(x: Exchange) -> Asked:
    assert x.installation is not None
    assert x.gateway is not None
    assert x.target is not None
    through = Through(x.installation, x.gateway.id, x.target.assignment_id, x.target.route)
    return Asked(x.caller, x.gateway_name, x.address, through)
