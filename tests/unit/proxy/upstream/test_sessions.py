"""Which session with a legacy upstream is used once it was doubted; Redis is away, so that no copy helps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core.egress.faults import UpstreamFault
from core.keys import new_key, parse_key_ring
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.redis import Redis
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.session_copies import AGE_S
from proxy.upstream.sessions import UpstreamSessions
from proxy.upstream.transport import Transport
from tests.fakes.call_parts import installation
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.plugins.moved_clock import MovedClock

KEY = "i/1/somebody"


@dataclass
class Met:
    """A server, of which one session is held."""

    server: McpUpstream
    sessions: UpstreamSessions
    to: ResolvedInstallation

    async def is_doubted(self) -> None:
        self.sessions.doubt(KEY, await self.sessions.open(KEY, self.to))

    async def opens(self) -> tuple[int, int]:
        """Have a session; how many pings and sessions the server has seen until then."""
        if self.sessions.known(KEY) is None:
            await self.sessions.open(KEY, self.to)
        return len(self.server.seen_of("ping")), len(self.server.seen_of("initialize"))


@pytest.fixture
async def met(transport: Transport) -> AsyncIterator[Met]:
    async with McpUpstream(era="legacy") as server:
        redis, ring = Redis("redis://127.0.0.1:1"), parse_key_ring("proxy", new_key())
        yield Met(server, UpstreamSessions(transport, redis, ring, Tasks("test")), installation(server.url))
        await redis.close()


async def test_a_doubted_session_that_answers_a_ping_is_kept(met: Met) -> None:
    await met.is_doubted()
    assert await met.opens() == (1, 1)


async def test_one_that_does_not_is_asked_once_and_replaced(met: Met) -> None:
    met.server.on("ping", Answer(raw=b""))
    await met.is_doubted()
    assert await met.opens() == (1, 2)
    assert await met.opens() == (1, 2)


async def test_where_the_server_is_not_reached_the_doubt_stays_and_is_settled_later(met: Met) -> None:
    await met.is_doubted()
    await met.server.stop()
    with pytest.raises(UpstreamFault, match="refused"):
        await met.opens()
    await met.server.start()
    assert await met.opens() == (1, 1)


async def test_a_doubt_about_an_old_session_is_not_worth_a_ping(met: Met, clock: MovedClock) -> None:
    await met.is_doubted()
    clock.pass_by(AGE_S + 1)
    assert await met.opens() == (0, 2)


@pytest.mark.parametrize(("changed", "opened"), [("i", (0, 2)), ("j", (1, 1)), ("", (1, 1))])
async def test_a_doubt_goes_with_the_session_of_an_installation_that_changed(
    met: Met, changed: str, opened: tuple[int, int]
) -> None:
    await met.is_doubted()
    met.sessions.forget_installation(changed)
    assert await met.opens() == opened


@pytest.mark.parametrize(
    "said",
    [
        {"capabilities": {"experimental": {"x": "y" * 900_000}}},
        {"serverInfo": {"name": "s", "version": "1", "icons": ["z" * 900_000]}},
        {"instructions": "i" * 900_000},
        {"_meta": {"more": ["m"] * 100_000}},
    ],
    ids=["capabilities", "its name", "instructions", "meta"],
)
async def test_of_what_a_server_says_of_itself_only_id_and_version_are_kept(
    met: Met, said: dict[str, object]
) -> None:
    result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "s"}} | said
    met.server.on("initialize", Answer(result=result, headers={"Mcp-Session-Id": "abc"}))
    met.server.sessions["abc"] = "2025-06-18"
    opened = await met.sessions.open_anew(KEY, met.to)
    assert (opened.capabilities, opened.server) == (result["capabilities"], result["serverInfo"])
    kept = msgspec.msgpack.encode(met.sessions.known(KEY))
    assert msgspec.msgpack.decode(kept) == ["abc", "2025-06-18"]


def test_a_copy_that_a_worker_of_before_left_is_read() -> None:
    copy = msgspec.msgpack.encode(["abc", "2025-06-18", {"tools": {}}, {"name": "s"}])
    assert msgspec.msgpack.decode(copy, type=UpstreamSession) == UpstreamSession("abc", "2025-06-18")


@pytest.mark.parametrize("isolation", ["shared", "principal", "client_session"])
@pytest.mark.parametrize("profile", ["", "elicitation"])
def test_a_session_that_was_opened_with_one_callers_credential_is_shared_with_no_other(
    isolation: Any, profile: str
) -> None:
    ours = installation(isolation=isolation)
    keys = [
        UpstreamSessions.key(replace(ours, made_for=digest), "user:ann", jti, profile)
        for digest, jti in (("one", "s1"), ("two", "s2"), ("one", None), ("two", None))
    ]
    outside_of_sessions = keys[2:]
    assert len(set(outside_of_sessions)) == 2
    assert len(set(keys[:2])) == 2


def test_a_session_goes_on_when_its_callers_token_is_a_newer_one() -> None:
    theirs = installation(made_for="user:ann")
    newer = replace(theirs, obtained_at=9.0, credential_headers=[("authorization", "Bearer 2")])
    assert UpstreamSessions.key(theirs, "user:ann", None) == UpstreamSessions.key(newer, "user:ann", None)
