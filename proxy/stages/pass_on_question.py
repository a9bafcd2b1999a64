"""Pass on a question: a modern server answers a call with one, for a modern caller, who will call again.

Called by `relay` in place of shaping a result. The caller reads who asks: the server and the installation stand
before its words, and the host of a link is spelled out; a link to one of our own hosts is not passed on, since a
person believes us. The server's own state goes into ours, sealed, so that any worker can go on with the call, and
only for this caller, this target and these arguments, while they lead to the same installation at the same address
with the same account.
"""

from core.keys import KeyRing
from core.mcp.questions import with_who
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.call_state import MOST_ROUNDS, CallState, close_state, place_of, why_not_kept
from proxy.stages.take_answers import bound_to
from proxy.stages.who_asks import who_asks, why_not_passed_on


def question_for(x: Exchange, result: dict[str, object], deps: Deps) -> dict[str, object]:
    """The result that asks the caller. Raises Refusal for a question that may not be passed on."""
    assert x.installation is not None
    asked, state = result.get("inputRequests", {}), result.get("requestState")
    why = _why_not(x, asked, state, deps.hosts)
    if why:
        raise Refusal("upstream_asks", server=x.installation.entry, detail=why)
    assert isinstance(asked, dict)  # it was looked at
    told: dict[str, object] = {"resultType": "input_required"}
    if asked:
        told["inputRequests"] = {key: with_who(one, who_asks(x)) for key, one in asked.items()}
    told["requestState"] = _closed(x, state, deps.settings.key_ring)
    if isinstance(result.get("_meta"), dict):
        told["_meta"] = result["_meta"]
    return told


def _why_not(x: Exchange, asked: object, state: object, hosts: frozenset[str]) -> str:
    if x.asked >= MOST_ROUNDS:
        return f"more than {MOST_ROUNDS} questions about one call"
    if not asked and state is None:
        return "input_required with nothing in it"
    return why_not_kept(state) or why_not_passed_on(x, asked, hosts) or ""


def _closed(x: Exchange, state: object, ring: KeyRing) -> str:
    assert x.installation is not None
    theirs = state if isinstance(state, str) else None
    inside = CallState.of(x.asked + 1, place=place_of(x.installation), theirs=theirs)
    return close_state(ring, inside, bound_to(x))
