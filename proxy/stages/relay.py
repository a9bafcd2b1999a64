"""Relay: the upstream's result in the form of the caller's era, as JSON, or as the last event of a stream begun.

The stage makes the answer; `deliver` sends it where a stream has begun, once the call's record is kept.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import orjson

from core.mcp.faults import result_message
from core.mcp.shapes import result_for_legacy, result_for_modern, result_type
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.limits.shares import quarter
from proxy.refusals import Refusal
from proxy.room import try_reserve

DELIVER_S = 30.0
"""A caller that takes longer to read its last event has lost it."""


def relay(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill answer and status. Refuses what only an unmet capability explains, or what there is no room for. Waits
    only where the result is large, for its turn.
    """
    assert x.installation is not None
    assert x.target is not None
    assert x.result is not None
    result = x.target.result_of(x.result)
    if result is None:
        raise Refusal("upstream_broken", server=x.installation.entry, detail="a result of another method")
    if result.get("resultType", "complete") != "complete":
        raise _unfinished(result, x.installation.entry)
    if x.large:
        return _in_turn(x, deps, result)
    _answer(x, deps, result, _body(x, result))
    return None


async def _in_turn(x: Exchange, deps: Deps, result: dict[str, object]) -> None:
    _answer(x, deps, result, await deps.upstreams.large.in_turn(lambda: _body(x, result), next_in=True))


def _body(x: Exchange, result: dict[str, object]) -> bytes:
    assert x.gateway is not None
    shaped = (
        result_for_modern(result, x.gateway.server_info)
        if x.era is Era.MODERN
        else result_for_legacy(result, x.version)
    )
    return orjson.dumps(result_message(x.request.id, shaped))


def _answer(x: Exchange, deps: Deps, result: dict[str, object], body: bytes) -> None:
    if not try_reserve(x, deps, len(body)):
        assert x.installation is not None
        most, held = deps.settings.bytes_in_flight, deps.usage.held
        left = min(quarter(most) - held.of(x.principal_key), most - held.used)
        raise Refusal(
            "upstream_too_large",
            server=x.installation.entry,
            limit=left,
            unit="bytes",
            detail="other answers are unread",
        )
    x.status = "tool_error" if result.get("isError") is True else "ok"
    x.answer, x.bytes_out = Answer(200, body), len(body)


def _unfinished(result: dict[str, object], server: str) -> Refusal:
    try:
        result_type(result)
    except ValueError:
        return Refusal("upstream_broken", server=server, detail="unknown resultType")
    return Refusal("upstream_asks", server=server)


async def deliver(x: Exchange) -> None:
    """Where an event stream has begun, the answer is its last event; else the lane writes it."""
    if not x.outlet.streaming or x.answer is None:
        return
    answer, x.answer = x.answer, None
    with suppress(TimeoutError):
        async with asyncio.timeout(DELIVER_S):
            await x.outlet.send_event(answer.body)
