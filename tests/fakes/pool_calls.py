"""Short calls through the proxy's transports: one POST, its body, or the fault that it ended in; and its pool."""

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from core.egress.addresses import AddressPolicy, PublicUrl
from core.egress.client import UpstreamFault, tls_context
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.transport import Transport
from tests.fakes.outbound_calls import CAP, LOOPBACK
from tests.fakes.scripted_upstream import ScriptedUpstream
from tests.plugins.moved_clock import MovedClock


class Pool(UpstreamPool):
    """The pool, to be closed by `async with`."""

    def __init__(self, policy: AddressPolicy = LOOPBACK, tls: ssl.SSLContext | None = None, **changed: Any) -> None:
        super().__init__(policy, tls or tls_context(None), **changed)

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def post(
    transport: Transport, url: str, headers: dict[str, str] | None = None, deadline: float = 30.0
) -> AbstractAsyncContextManager[Any]:
    """The answer is the transport's own: the pool's shows more than `Answer` asks for."""
    return transport.request("POST", PublicUrl(url + "/mcp"), headers or {}, b"{}", deadline=deadline)


async def nothing_finishes(pool: UpstreamPool) -> None:
    """Wait until no stream that a caller has left may still come to its end."""
    for _ in range(600):
        if not any(origin.finishing for origin in pool._places._origins.values()):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("a stream that was left has neither ended nor been closed")


async def body_of(transport: Transport, url: str, deadline: float = 30.0) -> bytes:
    async with post(transport, url, deadline=deadline) as answer:
        return await answer.read_capped(CAP)


async def late_fault_of(transport: Transport, upstream: ScriptedUpstream, clock: MovedClock) -> UpstreamFault:
    """The fault of a call whose deadline is over when the server has said all that it will."""
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(fault_of(transport, upstream.url, deadline=60))
        await upstream.hangs()
        clock.pass_by(61)
    return call.result()


async def fault_of(transport: Transport, url: str, deadline: float = 30.0) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        await body_of(transport, url, deadline)
    return caught.value
