"""Sessions that were given up: when they are ended, and what becomes of those that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from core.resolve import ResolvedInstallation
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.session_ends import LONGEST_S, SessionEnds
from proxy.upstream.transport import Transport
from tests.fakes.call_parts import installation
from tests.fakes.mcp_upstream import Era, McpUpstream
from tests.plugins.moved_clock import MovedClock

VERSION = "2025-06-18"


@dataclass
class Copies:
    """What Redis says, without Redis."""

    last: bool = True
    dropped: list[str | None] = field(default_factory=list)

    async def is_last_to_leave(self, key: str, session: UpstreamSession) -> bool:
        return self.last

    async def drop(self, key: str, session: UpstreamSession) -> None:
        self.dropped.append(session.id)


@dataclass
class Met:
    """A server with some sessions, all of which were given up."""

    server: McpUpstream
    copies: Copies
    ends: SessionEnds
    to: ResolvedInstallation
    running: set[tuple[str, int]] = field(default_factory=set)

    def give_up(self, *ids: str) -> None:
        for one in ids:
            self.server.sessions[one] = VERSION
            self.ends.give_up(f"i/1/{one}", UpstreamSession(one, VERSION), self.to)

    @property
    def here(self) -> tuple[str, int]:
        return self.to.installation_id, self.to.version


@pytest.fixture
async def met(transport: Transport) -> AsyncIterator[Met]:
    async with McpUpstream(era="legacy") as server:
        copies = Copies()
        ends = SessionEnds(transport, copies)  # type: ignore[arg-type]  # a fake of it
        found = Met(server, copies, ends, installation(server.url, credential_headers=[("X-Key", "secret")]))
        ends.running = lambda: found.running
        yield found


async def test_a_session_is_ended_by_delete_with_the_credential_that_it_was_used_with(met: Met) -> None:
    met.give_up("a")
    await met.ends.end_due()
    (sent,) = met.server.seen_of("DELETE")
    assert (sent.session, sent.headers["X-Key"], sent.headers["MCP-Protocol-Version"]) == ("a", "secret", VERSION)
    assert (met.server.sessions, met.copies.dropped, len(met.ends)) == ({}, ["a"], 0)
    assert met.server.complaints == []


async def test_while_a_call_of_its_installation_runs_it_is_not_ended(met: Met) -> None:
    met.running.add(met.here)
    met.give_up("a")
    await met.ends.end_due()
    assert not met.server.seen_of("DELETE")

    met.running.clear()
    await met.ends.end_due()
    assert met.server.sessions == {}


async def test_no_call_of_before_runs_for_longer_than_any_call_may(met: Met, clock: MovedClock) -> None:
    met.running.add(met.here)
    met.give_up("a")
    clock.pass_by(LONGEST_S + 1)
    await met.ends.end_due()
    assert met.server.sessions == {}


async def test_one_that_another_worker_uses_is_left_to_that_one(met: Met) -> None:
    met.copies.last = False
    met.give_up("a")
    await met.ends.end_due()
    assert (met.server.seen_of("DELETE"), met.copies.dropped, len(met.ends)) == ([], [], 0)


async def test_one_that_is_used_again_is_not_ended(met: Met) -> None:
    met.give_up("a", "b")
    met.ends.take_back("i/1/a", UpstreamSession("a", VERSION))
    await met.ends.end_due()
    assert list(met.server.sessions) == ["a"]


async def test_a_server_that_keeps_no_session_is_told_nothing(met: Met) -> None:
    met.ends.give_up("i/1/a", UpstreamSession(None, VERSION), met.to)
    await met.ends.end_all(5)
    assert met.server.seen == []


@pytest.mark.parametrize("era", ["legacy", "modern"], ids=["404", "405"])
async def test_a_server_that_refuses_is_asked_once(met: Met, era: Era) -> None:
    met.server.era = era
    met.give_up("a")
    met.server.forget_sessions()
    await met.ends.end_due()
    await met.ends.end_due()
    assert len(met.server.seen_of("DELETE")) == 1


async def test_a_server_that_is_away_takes_nothing_from_the_others(met: Met) -> None:
    met.ends.give_up("i/1/x", UpstreamSession("x", VERSION), installation("http://127.0.0.1:1/mcp"))
    met.give_up("a")
    await met.ends.end_due()
    assert met.server.sessions == {}


async def test_a_worker_that_stops_ends_all_at_once_and_as_many_as_there_is_time_for(met: Met) -> None:
    ids = [f"s{number}" for number in range(100)]
    met.running.add(met.here)
    met.give_up(*ids)
    await met.ends.end_all(30)
    assert (met.server.sessions, len(met.ends)) == ({}, 0)

    met.give_up(*ids)
    await asyncio.wait_for(met.ends.end_all(0), 30)
    assert len(met.server.sessions) > 0


async def test_more_than_can_wait_are_left_to_their_servers(met: Met, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(met.ends._waiting, "_most", 2)
    met.give_up("a", "b", "c")
    await met.ends.end_due()
    assert list(met.server.sessions) == ["a"]
