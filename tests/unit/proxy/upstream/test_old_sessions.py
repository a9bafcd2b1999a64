"""Which servers speak the transport of 2024-11-05, and one connection for each owner; on a scripted stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson
import pytest
from msgspec.structs import replace

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.egress.rules import Allowed, EgressRules
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.old_sessions import _MET_S, _NOT_S, OldSessions
from tests.fakes.call_parts import installation
from tests.plugins.moved_clock import MovedClock
from tests.unit.proxy.upstream.test_old_connection import ENDPOINT, Answered

TO = installation("http://server.example/sse")
REFUSAL = Refusal("upstream_status", server="server", status=405)


def held(network: str) -> ResolvedInstallation:
    """The same, whose environment lets in one network."""
    return replace(TO, egress=EgressRules("restricted", (Allowed((network,)),)), environment="production")


class Server:
    """Opens a stream for each GET, and answers `initialize` on the one that was opened last under its policy."""

    def __init__(self) -> None:
        self.status, self.streams = 200, list[Answered]()
        self._under: dict[object, Answered] = {}

    @asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, deadline: object = None
    ) -> AsyncIterator[Answered]:
        if method == "GET":
            stream = Answered(self.status)
            stream.chunks.put_nowait(ENDPOINT if self.status == 200 else b"")
            self.streams.append(stream)
            self._under[getattr(url, "held", None)] = stream
            yield stream
            return
        message = orjson.loads(body or b"")
        if message["method"] == "initialize":
            said = {"protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {"name": "old"}}
            answer = orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": said})
            self._under[getattr(url, "held", None)].chunks.put_nowait(b"data: " + answer + b"\n\n")
        yield Answered(202)


class Met:
    def __init__(self) -> None:
        self.server, self.tasks = Server(), Tasks("test", quiet=(UpstreamFault, Refusal))
        self.old = OldSessions(self.server, self.server, self.tasks, most=1 << 20)  # type: ignore[arg-type]


@pytest.fixture
async def met() -> AsyncIterator[Met]:
    made = Met()
    yield made
    await made.tasks.close()


async def test_a_server_is_asked_once_and_again_after_a_while(met: Met, clock: MovedClock) -> None:
    assert not met.old.speaks(TO)
    assert set(await asyncio.gather(*(met.old.is_behind(REFUSAL, TO) for _ in range(10)))) == {True}
    assert (met.old.speaks(TO), len(met.server.streams)) == (True, 1)
    clock.pass_by(_MET_S + 1)
    assert not met.old.speaks(TO)


async def test_one_that_does_not_is_left_alone_for_a_minute(met: Met, clock: MovedClock) -> None:
    met.server.status = 405
    assert not await met.old.is_behind(REFUSAL, TO)
    assert not await met.old.is_behind(REFUSAL, TO)
    assert len(met.server.streams) == 1
    clock.pass_by(_NOT_S + 1)
    met.server.status = 200
    assert await met.old.is_behind(REFUSAL, TO)


@pytest.mark.parametrize(
    ("refusal", "protocol"),
    [
        (Refusal("upstream_credential"), "auto"),
        (Refusal("upstream_era"), "auto"),
        (Refusal("upstream_status", server="server", status=503), "auto"),
        (REFUSAL, "2026-07-28"),
    ],
)
async def test_where_something_else_is_wrong_nobody_is_asked(met: Met, refusal: Refusal, protocol: str) -> None:
    to = installation("http://server.example/sse", protocol=protocol)
    assert not await met.old.is_behind(refusal, to)
    assert met.server.streams == []


async def test_those_who_come_at_once_share_a_new_session_and_later_ones_use_it(met: Met) -> None:
    first = await asyncio.gather(*(met.old.connection("i/1/u", TO, {}) for _ in range(10)))
    assert len({id(connection) for connection, _ in first}) == 1
    assert all(is_new for _, is_new in first)
    assert await met.old.connection("i/1/u", TO, {}) == (first[0][0], False)
    assert first[0][0].session.version == "2024-11-05"
    other, _ = await met.old.connection("i/1/v", TO, {})
    assert other is not first[0][0]


async def test_one_that_is_over_is_made_anew(met: Met) -> None:
    first, _ = await met.old.connection("i/1/u", TO, {})
    met.server.streams[-1].chunks.put_nowait(b"")
    while not first.over:  # noqa: ASYNC110 - it reads at once
        await asyncio.sleep(0)
    second, is_new = await met.old.connection("i/1/u", TO, {})
    assert is_new
    assert second is not first


async def test_one_that_was_opened_under_another_egress_policy_is_closed_and_serves_no_call(met: Met) -> None:
    wide, narrow = held("0.0.0.0/0"), held("192.0.2.0/24")
    first, _ = await met.old.connection("i/1/u", wide, {})
    assert await met.old.connection("i/1/u", replace(wide, version=2), {}) == (first, False)
    second, is_new = await met.old.connection("i/1/u", narrow, {})
    assert is_new
    assert second.at.egress == narrow.egress
    while not first.over:  # noqa: ASYNC110 - it ends at once
        await asyncio.sleep(0)


async def test_who_waits_for_a_new_session_gets_none_that_is_opened_under_another_policy(met: Met) -> None:
    wide, narrow = held("0.0.0.0/0"), held("192.0.2.0/24")
    both = await asyncio.gather(*(met.old.connection("i/1/u", one, {}) for one in (wide, narrow)))
    assert [one.at.egress for one, _ in both] == [wide.egress, narrow.egress]


async def test_where_news_were_missed_none_stays_that_a_policy_may_not_allow_any_more_and_no_call_needs(
    met: Met,
) -> None:
    free, used, idle = [
        (await met.old.connection(f"i/1/{name}", to, {}))[0]
        for name, to in (("free", TO), ("used", held("0.0.0.0/0")), ("idle", held("192.0.2.0/24")))
    ]
    async with used.request("POST", PublicUrl("http://server.example/messages"), {}, b'{"id":7,"method":"ping"}'):
        met.old.doubt()
        while not idle.over:  # noqa: ASYNC110 - it ends at once
            await asyncio.sleep(0)
        assert (free.over, used.over) == (False, False)


async def test_more_than_there_is_room_for_close_the_one_that_was_not_used_for_longest(
    met: Met, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(met.old._open, "_most", 1)
    first, _ = await met.old.connection("i/1/u", TO, {})
    second, _ = await met.old.connection("i/1/v", TO, {})
    while not first.over:  # noqa: ASYNC110 - it ends at once
        await asyncio.sleep(0)
    assert not second.over


async def test_an_installation_that_is_over_takes_its_sessions_along(met: Met) -> None:
    await met.old.is_behind(REFUSAL, TO)
    connection, _ = await met.old.connection("i/1/u", TO, {})
    met.old.forget_installation("j")
    assert met.old.speaks(TO)
    met.old.forget_installation(TO.installation_id)
    met.old.forget_installation("i")
    assert not met.old.speaks(TO)
    while not connection.over:  # noqa: ASYNC110 - it ends at once
        await asyncio.sleep(0)


async def test_a_server_that_opens_none_any_more_is_met_again(met: Met) -> None:
    await met.old.is_behind(REFUSAL, TO)
    met.server.status = 404
    with pytest.raises(Refusal, match="upstream_status"):
        await met.old.connection("i/1/u", TO, {})
    assert not met.old.speaks(TO)
    assert len(met.old._open) == 0
