"""Pass on a task: a modern server answers a call with one, or says what has become of it (Tasks extension of MCP
2026-07-28, SEP-2663).

Called by `relay` in place of shaping a result. The caller gets of the task what the extension has, under an
identifier of ours. Questions of its server go the way that questions about a call go: only those that the caller can
be asked, with who asks before their words.
"""

from typing import Final

from core.mcp.extensions import TASKS
from core.mcp.methods import TOOLS_CALL
from core.mcp.questions import with_who
from core.mcp.shapes import result_for_modern
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.call_state import place_of
from proxy.sessions.task_ids import LIFETIME_S, close_task
from proxy.stages.who_asks import who_asks, why_not_passed_on
from proxy.upstream.faults import upstream_text

_STATES: Final = ("working", "input_required", "completed", "failed", "cancelled")
"""No set: a server may say a list, of which a set cannot be asked."""
_AS_THEY_ARE: Final = ("status", "createdAt", "lastUpdatedAt", "pollIntervalMs", "_meta")


def task_for(x: Exchange, result: dict[str, object], deps: Deps) -> dict[str, object]:
    """The result that tells of a task, one that begins (of `tools/call`) or one that was asked about. Raises Refusal
    for what is none, and for a question that may not be passed on.
    """
    begins = x.request.method == TOOLS_CALL
    if result.get("status") not in _STATES:
        raise _broken(x, "a task in no state that is known")
    told: dict[str, object] = {name: result[name] for name in _AS_THEY_ARE if name in result}
    told["taskId"] = _begun(x, result, deps) if begins else x.request.params["taskId"]
    told["ttlMs"] = _ttl_ms(result.get("ttlMs"))
    if isinstance(result.get("statusMessage"), str):
        told["statusMessage"] = upstream_text(result["statusMessage"])
    if not begins:
        told |= _inside(x, result, deps)
    return {**told, "resultType": "task" if begins else "complete"}


def _begun(x: Exchange, result: dict[str, object], deps: Deps) -> str:
    """The identifier of a task that was begun just now."""
    assert x.gateway is not None
    assert x.target is not None
    assert x.outbound is not None
    assert x.installation is not None
    if TASKS not in x.outbound.extensions:
        raise _broken(x, "a task, for a client that knows none")
    theirs, bound = result.get("taskId"), (x.gateway.id, x.caller.key)
    if not isinstance(theirs, str) or not theirs:
        raise _broken(x, "a task without an identifier")
    closed = close_task(deps.settings.key_ring, theirs, x.target.exposed, place_of(x.installation), bound)
    if closed is None:
        raise _broken(x, "a task with too long an identifier")
    return closed


def _ttl_ms(theirs: object) -> int:
    """Milliseconds from its beginning for which the caller can ask about a task: not longer than the identifier."""
    most = LIFETIME_S * 1000
    return min(theirs, most) if isinstance(theirs, int) and not isinstance(theirs, bool) and theirs >= 0 else most


def _inside(x: Exchange, result: dict[str, object], deps: Deps) -> dict[str, object]:
    """What a task holds in its state: questions, a result or an error."""
    assert x.gateway is not None
    assert x.installation is not None
    status = result["status"]
    if status == "input_required":
        return {"inputRequests": _questions(x, result.get("inputRequests"), deps)}
    if status == "completed":
        done = result.get("result")
        if not isinstance(done, dict) or done.get("resultType", "complete") != "complete":
            raise _broken(x, "a completed task without a result")
        return {"result": result_for_modern(done, x.gateway.server_info)}
    if status == "failed":
        return {"error": _error(x, result.get("error"))}
    return {}


def _questions(x: Exchange, asked: object, deps: Deps) -> dict[str, object]:
    assert x.installation is not None
    why = why_not_passed_on(x, asked, deps.hosts)
    if why is not None:
        raise Refusal("upstream_asks", server=x.installation.entry, detail=why)
    assert isinstance(asked, dict)  # it was looked at
    return {key: with_who(one, who_asks(x)) for key, one in asked.items()}


def _error(x: Exchange, said: object) -> dict[str, object]:
    """The JSON-RPC error with which a task failed, in the server's own words."""
    code = said.get("code") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(code, int):
        raise _broken(x, "a failed task without an error")
    error: dict[str, object] = {"code": code, "message": upstream_text(said.get("message"))}
    return {**error, "data": said["data"]} if "data" in said else error


def _broken(x: Exchange, detail: str) -> Refusal:
    assert x.installation is not None
    return Refusal("upstream_broken", server=x.installation.entry, detail=detail)
