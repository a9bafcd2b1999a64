"""Take answers: a modern caller calls again, with its answers to the question that it got in place of a result.

Called by `choose_tool` where a message has a `requestState`. The call simply runs again: what was asked for, such as
signing in, was done elsewhere or not. Whoever said no is not asked again.
"""

from typing import Final

from core.mcp.faults import INVALID_PARAMS, MessageFault
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.sessions.call_state import StateBroken, open_state
from proxy.stages.record import sha256_of

MOST_ASKED: Final = 5
"""Questions about one call. A client that says yes at once, with nobody there, is not asked for ever."""
_NO: Final = frozenset({"decline", "cancel"})


def take_answers(x: Exchange, deps: Deps) -> None:
    """Fill how often the caller was asked. Raises MessageFault for a state that this call was not given."""
    params = x.request.params
    try:
        asked = open_state(deps.settings.key_ring, params["requestState"], bound_to(x))
    except StateBroken:
        raise MessageFault(
            INVALID_PARAMS,
            "params.requestState is not what this call was given, or it is too old; call again without it.",
            200,
            x.request.id,
        ) from None
    answers = params.get("inputResponses")
    said = answers.values() if isinstance(answers, dict) else ()
    declined = any(isinstance(one, dict) and one.get("action") in _NO for one in said)
    x.asked = MOST_ASKED if declined else asked


def bound_to(x: Exchange) -> tuple[str, ...]:
    """Whose call of what a state is for."""
    assert x.gateway is not None
    params = x.request.params
    return (x.gateway.id, x.caller.key, str(params.get("name")), sha256_of(params.get("arguments")).hex())
