"""Take answers: a modern caller calls again, with its answers to the question that it got in place of a result.

Called by the stages that choose a target, where a message has answers or a state (`has_answers`). To a question of
ours the call simply runs again: what was asked for, such as signing in, was done elsewhere or not, and whoever said
no is not asked again.
Answers to a server's question go to that server, with the state that it gave.
"""

from typing import Final

from core.mcp.faults import INVALID_PARAMS, MessageFault
from core.mcp.methods import NAME_PARAMETER, OF_TASKS
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange, Retry
from proxy.sessions.call_state import StateBroken, open_state
from proxy.stages.record import sha256_of

MOST_ASKED: Final = 5
"""Questions of ours about one call. A client that says yes at once, with nobody there, is not asked for ever."""
_NO: Final = frozenset({"decline", "cancel"})


def has_answers(x: Exchange) -> bool:
    """Whether the caller answers a question with this call."""
    params = x.request.params
    return x.era is Era.MODERN and ("requestState" in params or "inputResponses" in params)


def take_answers(x: Exchange, deps: Deps) -> None:
    """Fill how often the caller was asked, and what a server gets of it. Raises MessageFault for a state that this
    call was not given.

    Answers without a state go on as they are: every question of ours has one, and a server that gives none does not
    rely on it. Raises MessageFault, too, for answers to a server that are none: it need not be able to read them.
    """
    params = x.request.params
    answers = params.get("inputResponses")
    given = answers if isinstance(answers, dict) else {}
    if params.get("requestState") is None:
        x.retry = Retry("", None, answers_for_server(x, answers))
        return
    try:
        state = open_state(deps.settings.key_ring, params["requestState"], bound_to(x))
    except StateBroken:
        raise wrong_state(x) from None
    if state.place:
        told = answers_for_server(x, answers)
        x.asked, x.retry = state.asked, Retry(state.place, state.theirs, told, state.suspended)
        return
    declined = any(isinstance(one, dict) and one.get("action") in _NO for one in given.values())
    x.asked = MOST_ASKED if declined else state.asked


def answers_for_server(x: Exchange, answers: object) -> dict[str, object]:
    """What a server gets; none at all is an empty object, as some clients say nothing with null."""
    if answers is None:
        return {}
    if not isinstance(answers, dict) or not all(isinstance(one, dict) for one in answers.values()):
        raise MessageFault(
            INVALID_PARAMS, "params.inputResponses must be an object of answers, each an object.", 400, x.request.id
        )
    return answers


def wrong_state(x: Exchange) -> MessageFault:
    """The fault of a state that this call was not given, or whose server is not this call's any more; so of the
    identifier of a task.
    """
    if x.request.method in OF_TASKS:
        return no_such_task(x, "its installation does not serve you any more")
    return MessageFault(
        INVALID_PARAMS,
        "params.requestState is not what this call was given, or it is too old; call again without it.",
        200,
        x.request.id,
    )


def no_such_task(x: Exchange, why: str) -> MessageFault:
    """The fault of a request about a task that is none of this caller's here."""
    return MessageFault(INVALID_PARAMS, f"params.taskId names no task: {why}.", 200, x.request.id)


def bound_to(x: Exchange) -> tuple[str, ...]:
    """Whose call of what a state is for."""
    assert x.gateway is not None
    method, params = x.request.method, x.request.params
    named = str(params.get(NAME_PARAMETER.get(method, "")))
    return (x.gateway.id, x.caller.key, method, named, sha256_of(params.get("arguments")).hex())
