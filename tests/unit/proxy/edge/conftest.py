"""A fast lane that serves on real sockets, on uvloop as in a worker, and on asyncio's own loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
import uvloop

from core.tokens import digest
from proxy.deps import Deps
from proxy.edge.fast_lane import FastLane
from proxy.edge.lanes import public_listener
from proxy.exchange import Exchange
from proxy.sessions.sealed import Session
from tests.fakes.callers import caller_of
from tests.fakes.proxy_parts import exchange, gateway, hold, known_token, proxy_parts, user
from tests.fakes.raw_http import request_bytes

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
LATER = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
"""A message that a task sees to: what `WORKS` names."""
PONG = {"jsonrpc": "2.0", "id": 1, "result": {}}
WORKS = "proxy.edge.served_request.at_message"


@dataclass
class Served:
    """A fast lane that serves."""

    deps: Deps
    lane: FastLane
    port: int
    headers: list[tuple[str, str]]

    def post(self, body: bytes = PING, *more: tuple[str, str]) -> bytes:
        return request_bytes("POST", "/v1/mcp/g", [*self.headers, *more], body)

    def get_stream(self) -> bytes:
        """A request for the stream of a session, which `session_known` lets in."""
        return request_bytes(
            "GET", "/v1/mcp/g", [*self.headers, ("Accept", "text/event-stream"), ("Mcp-Session-Id", "s")]
        )

    def session_known(self) -> AbstractContextManager[object]:
        """Every session id is that of the session `jti`."""
        session = Session("jti", "2025-11-25", 0, int(time.time()))
        return patch.object(type(self.deps.sessions), "known", lambda *_: session)

    def session_to_ask_for(self) -> AbstractContextManager[object]:
        """The same, found out by a task."""
        session = AsyncMock(return_value=Session("jti", "2025-11-25", 0, int(time.time())))
        return patch.object(type(self.deps.sessions), "open", session)

    @property
    def handed_over(self) -> int:
        return self.lane.parts.listener.open_connections


Scenario = Callable[[Served], Awaitable[None]]
Serve = Callable[..., None]


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """`serve(scenario, max_body=10)` runs a scenario against a lane with these settings."""

    def run(scenario: Scenario, **settings: Any) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(_serving(scenario, settings), 30))

    return run


async def _serving(scenario: Scenario, settings: dict[str, Any]) -> None:
    async with proxy_parts(lane="fast", **settings) as deps:
        hold(deps, gateway())
        lane = public_listener(deps, access_log=None, auto_decompress=False, lingering_time=0.2)
        assert isinstance(lane, FastLane)
        server = await asyncio.get_running_loop().create_server(lane, "127.0.0.1", 0)
        token = known_token(deps, user())
        headers = [("Host", "gw.example"), ("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
        try:
            await scenario(Served(deps, lane, server.sockets[0].getsockname()[1], headers))
        finally:
            server.close()
            await lane.shutdown(0.2)
            assert lane.open_connections == 0
            assert deps.usage.bytes_in_flight == 0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells when the kernel has told the server
            await asyncio.sleep(0.01)


def streaming(deps: Deps, accept: str = "text/event-stream") -> Exchange:
    """A request for the stream of the session `jti`, as it stands behind the stages that judge a head."""
    x = exchange({}, method="GET")
    x.headers, x.gateway_name = {"accept": accept}, "g"
    principal = user()
    x.gateway = hold(deps, gateway())
    x.caller = caller_of(principal, digest(known_token(deps, principal)))
    x.session = Session("jti", "2025-11-25", 0, int(time.time()))
    return x


@pytest.fixture
def quick_streams() -> Iterator[None]:
    """Streams are looked at, commented and ended so often that a test need not wait."""
    with (
        patch("proxy.edge.stream_sweep.LOOK_S", 0.01),
        patch("proxy.edge.stream_sweep.KEEPALIVE_S", 0.05),
        patch("proxy.listening.drain.LONGEST_GOODBYE_S", 0.05),
    ):
        yield
