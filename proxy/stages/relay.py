"""Relay: the upstream's result in the form of the caller's era.

The stage makes the answer; the lane writes it, as JSON or as the last event of a stream that has begun.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

import orjson

from core.mcp.faults import result_message
from core.mcp.methods import MAY_ASK, TASKS_GET, TOOLS_CALL
from core.mcp.shapes import result_for_legacy, result_for_modern, result_type
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from proxy.room import hold_read, no_room, try_reserve
from proxy.stages.pass_on_question import question_for
from proxy.stages.pass_on_task import task_for
from proxy.stages.renew_credential import suspect_credential
from proxy.upstream.refused_results import looks_refused

TURN_S = 30.0
"""How long a large answer waits for its turn to be written: the call's own deadline ended when it was read."""

_TASKS: Final = frozenset({TOOLS_CALL, TASKS_GET})
"""Methods whose results may be a task."""


def relay(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill answer and status. Refuses what only an unmet capability explains, or what there is no room for. Waits
    only where the result is large, for its turn.
    """
    if x.large:
        return _in_turn(x, deps)
    result, body = _written(x, deps)
    _answer(x, deps, result, body)
    return None


async def _in_turn(x: Exchange, deps: Deps) -> None:
    assert x.installation is not None
    try:
        async with asyncio.timeout(TURN_S):
            result, body = await deps.upstreams.large.in_turn(lambda: _written(x, deps), next_in=True)
    except TimeoutError:
        seconds = round(time.perf_counter() - x.began)
        detail = f"its large answer had no turn within {TURN_S:g} s"
        raise Refusal("upstream_slow", server=x.installation.entry, seconds=seconds, detail=detail) from None
    x.result = None  # its room is the answer's now
    hold_read(x, deps, 0)
    _answer(x, deps, result, body)


def _written(x: Exchange, deps: Deps) -> tuple[dict[str, object], bytes]:
    """The result that the caller gets, and the whole answer. Touches nothing of the loop's: a thread may do it."""
    assert x.installation is not None
    assert x.target is not None
    assert x.result is not None
    assert x.gateway is not None
    result = x.target.result_of(x.result)
    if result is None:
        raise Refusal("upstream_broken", server=x.installation.entry, detail="a result of another method")
    if x.uris is not None:
        result = x.uris.shown_in(result)
    if x.asks:
        result = dict(x.result)
    elif result.get("resultType", "complete") != "complete":
        result = _unfinished(x, result, deps)
    shaped = (
        result_for_modern(result, x.gateway.server_info, account_of(x.installation))
        if x.era is Era.MODERN
        else result_for_legacy(result, x.version, account_of(x.installation))
    )
    return result, orjson.dumps(result_message(x.request.id, shaped))


def account_of(installation: ResolvedInstallation) -> orjson.Fragment | None:
    """What results say of who acted, as JSON; None where control has not told the installation's name."""
    name, owner, account = installation.installation, installation.owner, installation.account
    if not name:
        return None
    return orjson.Fragment(orjson.dumps({"installation": name, "owner": owner, "account": account}))


def _answer(x: Exchange, deps: Deps, result: dict[str, object], body: bytes) -> None:
    if not try_reserve(x, deps, len(body)):
        raise no_room(x, deps)
    failed = result.get("isError") is True
    x.status = "tool_error" if failed else "ok"
    if failed and looks_refused(result):
        suspect_credential(x, deps)
    x.answer, x.bytes_out = Answer(200, body), len(body)


def _unfinished(x: Exchange, result: dict[str, object], deps: Deps) -> dict[str, object]:
    """What the caller gets of a result that is not complete: the server's question, if they can be asked it, or the
    task that it began.
    """
    assert x.installation is not None
    server = x.installation.entry
    try:
        kind = result_type(result)
    except ValueError:
        raise Refusal("upstream_broken", server=server, detail="unknown resultType") from None
    if kind == "input_required" and x.era is Era.MODERN and x.request.method in MAY_ASK:
        return question_for(x, result, deps)
    if kind == "task" and x.request.method in _TASKS:
        return task_for(x, result, deps)
    raise Refusal("upstream_asks", server=server)
