"""A modern server asks a legacy caller: its questions go out on the call's stream, then the call is made again.

Called by `receive`. To the caller it is one call, as its era has it. A server may ask again, up to a number of times.
"""

import asyncio
from dataclasses import replace
from typing import Any

from core.mcp.questions import why_not_asked
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.call_state import why_not_kept
from proxy.stages.ask_caller import ask_caller
from proxy.upstream.outbound import Outbound, new_upstream_id


def asks_legacy(x: Exchange, result: dict[str, object]) -> bool:
    """Whether a result is a question that this legacy caller can be asked."""
    asked = x.outbound is not None and bool(x.outbound.capabilities)
    return asked and x.era is Era.LEGACY and result.get("resultType") == "input_required"


async def again_with_answers(x: Exchange, deps: Deps, outbound: Outbound, result: dict[str, object]) -> Outbound:
    """The call with the caller's answers. Raises Refusal for a question that is not passed on, and for no answer."""
    assert x.installation is not None
    asked, state = result.get("inputRequests", {}), result.get("requestState")
    why = why_not_kept(state) or why_not_asked(asked, outbound.capabilities)
    if why or not isinstance(asked, dict):
        raise Refusal("upstream_asks", server=x.installation.entry, detail=str(why))
    answers = await asyncio.gather(*(_answer(x, deps, one) for one in asked.values()))
    params = {**outbound.params, "inputResponses": dict(zip(asked, answers, strict=True))}
    if state is not None:
        params["requestState"] = state
    return replace(outbound, params=params, id=new_upstream_id())


async def _answer(x: Exchange, deps: Deps, request: dict[str, Any]) -> object:
    assert x.installation is not None
    answered = await ask_caller(x, deps, request["method"], request.get("params", {}))
    if "result" in answered:
        return answered["result"]
    error = answered.get("error")
    said = str(error.get("message")) if isinstance(error, dict) else ""
    raise Refusal("upstream_asks", server=x.installation.entry, detail=said)
