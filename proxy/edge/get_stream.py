"""The GET stream of a legacy session: held open with comments until somebody leaves.

A stream is one per session. It ends when the caller leaves, the worker drains, the session ends, the gateway admits
the caller no more, or the token is no longer good: that is asked with every comment, and at once where the verdict on
it is remembered no more.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.mcp.versions import MODERN
from core.resolve import Principal
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.listening.drain import GOODBYE, goodbye_after, look_within
from proxy.refusals import Refusal
from proxy.sessions.sealed import Session

KEEPALIVE_S = 15.0
LOOK_S = 1.0
Send = Callable[[bytes], Awaitable[None]]


class Held(Protocol):
    """Who holds a stream; an `Exchange` is one."""

    gateway_name: str
    address: str
    principal: Principal | None
    token_digest: str
    session: Session | None


def take_place(x: Exchange, deps: Deps) -> str:
    """The session's place among the streams, by its jti. Refuses 400, 405 (modern), 406, 409 and 503."""
    if x.headers.get("mcp-protocol-version", "").strip() == MODERN:
        raise Refusal("method_not_allowed", method="GET")
    if "text/event-stream" not in x.headers.get("accept", "") and "*/*" not in x.headers.get("accept", ""):
        raise Refusal("not_acceptable", wanted="text/event-stream")
    if x.session is None:
        raise Refusal("session_missing")
    if x.session.jti in deps.streams:
        raise Refusal("stream_open")
    if not deps.streams.open(x.session.jti, x.principal_key, deps.settings.streams):
        raise Refusal("overloaded", retry_after=30)
    return x.session.jti


async def hold_stream(x: Exchange, deps: Deps, send: Send) -> Answer | None:
    """None when the stream has ended. Refuses as `take_place`."""
    jti = take_place(x, deps)
    try:
        await send(COMMENT_KEEPALIVE)
        await _hold(x, deps, send)
    finally:
        deps.streams.close(jti)
    return None


async def _hold(x: Exchange, deps: Deps, send: Send) -> None:
    """Comments at about every 15 s; whether the stream may go on is looked at every second."""
    clock = asyncio.get_running_loop().time
    look_s = look_within(deps.settings.grace_seconds, LOOK_S)
    due = clock() + random.uniform(0.7, 1.0) * KEEPALIVE_S  # noqa: S311 - spreads the comments of many streams
    while not x.outlet.gone and not deps.draining and still_good(x, deps):
        await asyncio.sleep(look_s)
        comment = clock() >= due
        if (comment or not deps.authority.remembers(x.token_digest)) and not await still_known(x, deps):
            return
        if comment:
            due = clock() + random.uniform(0.7, 1.0) * KEEPALIVE_S  # noqa: S311
            await send(COMMENT_KEEPALIVE)
    if deps.draining and not x.outlet.gone:
        await asyncio.sleep(goodbye_after(deps.settings.grace_seconds))
        await send(GOODBYE)


async def still_known(x: Held, deps: Deps) -> bool:
    """Ask about the token as any request would: while Redis is away, no announcement of its end can come."""
    try:
        verdict = await deps.authority.verdict(x.token_digest, x.address)
    except (Refusal, SourceUnreachable):
        return False
    x.principal = verdict.principal  # who has left a team since may not see the gateway any more
    return verdict.principal is not None


def still_good(x: Held, deps: Deps) -> bool:
    """Whether the session goes on, the gateway still admits the caller, and the token was not just refused."""
    assert x.session is not None
    assert x.principal is not None
    gateway = deps.gateways.held(x.gateway_name)
    return (
        not deps.sessions.has_ended(x.session.jti)
        and gateway is not None
        and gateway.admits(x.principal)
        and not deps.authority.refused_lately(x.token_digest)
    )
