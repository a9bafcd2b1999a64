"""Listening to a server outside of calls: what is heard, what is answered, and what happens when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream import heard_stream, listened
from proxy.upstream.eras import Eras
from proxy.upstream.heard_stream import HeardStream
from proxy.upstream.listened import Listening, Wanted
from proxy.upstream.transport import Transport
from tests.fakes.mcp_upstream import Answer, Era, McpUpstream

TELLS = {"tools": {}, "resources": {"subscribe": True}}
ALL_LISTS = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
SPEAKS = pytest.mark.parametrize("speaks", ["modern", "legacy"])


class FakeEars:
    """Keeps what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Any] = asyncio.Queue()

    def hear(self, method: str, params: Any) -> None:
        self.told.put_nowait(("heard", method.removeprefix("notifications/"), params.get("uri")))

    def stands(self, uris: frozenset[str]) -> None:
        self.told.put_nowait(("stands", sorted(uris)))

    def refused(self, uri: str, why: Refusal) -> None:
        self.told.put_nowait(("refused", uri, why.reason))

    def away(self) -> None:
        self.told.put_nowait("away")

    async def next(self) -> Any:
        return await asyncio.wait_for(self.told.get(), 30)


class Parts:
    """One server that is listened to."""

    def __init__(self, transport: Transport, tasks: Tasks, server: McpUpstream) -> None:
        self.server, self.ears, self.wanted = server, FakeEars(), Wanted()
        self.at = ResolvedInstallation("i", "e", "crm", "organisation", "remote", server.url, 1)
        self._tasks, self._listening = tasks, Listening(transport, Eras(transport, tasks), tasks)

    def follow(self, *uris: str, lists: bool = False) -> asyncio.Task[None]:
        self.wanted = Wanted(frozenset(uris), lists=lists)
        return self._tasks.spawn("follow", self._listening.follow(self._resolved, self.wanted, self.ears))

    async def _resolved(self) -> ResolvedInstallation:
        return self.at


@pytest.fixture
async def parts(transport: Transport, monkeypatch: pytest.MonkeyPatch, speaks: Era) -> AsyncIterator[Parts]:
    monkeypatch.setattr(listened, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(heard_stream, "AGAIN_S", 0.01)
    tasks = Tasks("test", quiet=(Exception,))
    async with McpUpstream(era=speaks, capabilities=TELLS) as server:
        yield Parts(transport, tasks, server)
        await tasks.close()


@SPEAKS
async def test_what_a_server_says_by_itself_is_heard_once_it_stands(parts: Parts) -> None:
    parts.follow("a://1")
    assert await parts.ears.next() == ("stands", ["a://1"])
    await parts.server.updated("a://1")
    assert await parts.ears.next() == ("heard", "resources/updated", "a://1")
    assert parts.server.complaints == []


@SPEAKS
async def test_news_of_lists_is_asked_for_where_it_is_wanted(parts: Parts, speaks: Era) -> None:
    parts.follow(lists=True)
    assert await parts.ears.next() == ("stands", [])
    await parts.server.push({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    assert await parts.ears.next() == ("heard", "tools/list_changed", None)
    if speaks == "modern":
        assert parts.server.seen_of("subscriptions/listen")[0].params["notifications"] == ALL_LISTS


@SPEAKS
async def test_what_is_wanted_may_change_while_it_is_listened(parts: Parts, speaks: Era) -> None:
    parts.follow("a://1", "a://2")
    await parts.ears.next()
    parts.wanted.become(frozenset({"a://2", "a://3"}))
    assert await parts.ears.next() == ("stands", ["a://2", "a://3"])
    if speaks == "legacy":
        await parts.server.wait_for("resources/unsubscribe")
        asked = [one.params["uri"] for one in parts.server.seen_of("resources/subscribe")]
        assert asked == ["a://1", "a://2", "a://3"]
    await parts.server.wait_until(lambda: parts.server.heard_by == 1)


@SPEAKS
async def test_what_a_server_does_not_tell_of_is_refused_and_the_rest_stands(parts: Parts) -> None:
    parts.server.untold = {"a://2"}
    parts.follow("a://1", "a://2")
    refused = await parts.ears.next()
    assert refused[:2] == ("refused", "a://2")
    assert await parts.ears.next() == ("stands", ["a://1"])


@SPEAKS
async def test_a_stream_that_ends_is_begun_again(parts: Parts) -> None:
    parts.follow("a://1")
    await parts.ears.next()
    parts.server.close_streams()
    assert [await parts.ears.next() for _ in range(2)] == ["away", ("stands", ["a://1"])]


@SPEAKS
async def test_a_server_that_was_away_is_listened_to_again(parts: Parts) -> None:
    parts.follow("a://1")
    await parts.ears.next()
    await parts.server.stop()
    assert await parts.ears.next() == "away"
    await parts.server.start()
    while (told := await parts.ears.next()) == "away":
        pass
    assert told == ("stands", ["a://1"])


@pytest.mark.parametrize("speaks", ["legacy"])
async def test_a_session_that_is_lost_is_opened_again_and_subscribed_again(parts: Parts) -> None:
    parts.follow("a://1")
    await parts.ears.next()
    parts.server.forget_sessions()
    parts.server.close_streams()
    assert [await parts.ears.next() for _ in range(2)] == ["away", ("stands", ["a://1"])]
    assert len(parts.server.seen_of("resources/subscribe")) == 2


@pytest.mark.parametrize("speaks", ["legacy"])
async def test_a_session_that_is_listened_in_no_more_is_ended(parts: Parts) -> None:
    following = parts.follow("a://1")
    await parts.ears.next()
    following.cancel()
    await parts.server.wait_for("DELETE")
    assert parts.server.sessions == {}


@pytest.mark.parametrize("speaks", ["legacy"])
async def test_a_ping_is_answered_and_anything_else_with_an_error(parts: Parts) -> None:
    parts.follow()
    await parts.ears.next()
    await parts.server.push({"jsonrpc": "2.0", "id": "p", "method": "ping"})
    await parts.server.push({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}})

    def answers() -> dict[Any, Any]:
        bodies = [one.body for one in parts.server.seen if isinstance(one.body, dict) and "method" not in one.body]
        return {body["id"]: body for body in bodies}

    await parts.server.wait_until(lambda: len(answers()) == 2)
    assert answers()["p"]["result"] == {}
    assert answers()["q"]["error"]["code"] == -32601


@pytest.mark.parametrize("speaks", ["legacy"])
async def test_a_server_that_asks_for_ever_is_left(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_stream, "MOST_ASKED", 2)
    parts.follow()
    await parts.ears.next()
    for number in range(3):
        await parts.server.push({"jsonrpc": "2.0", "id": number, "method": "ping"})
    assert await parts.ears.next() == "away"


@pytest.mark.parametrize("speaks", ["legacy-stateless"])
async def test_a_server_without_such_streams_cannot_be_listened_to(parts: Parts) -> None:
    with pytest.raises(Refusal, match="no_news"):
        await parts.follow("a://1")


@pytest.mark.parametrize("speaks", ["modern"])
async def test_a_modern_server_that_knows_no_listening_cannot_be_listened_to(parts: Parts) -> None:
    parts.server.on("subscriptions/listen", Answer(error=(-32601, "Method not found"), status=404))
    with pytest.raises(Refusal, match="no_news"):
        await parts.follow("a://1")


@SPEAKS
async def test_a_credential_that_is_not_taken_ends_it(parts: Parts) -> None:
    parts.server.requires = {"Authorization": "Bearer x"}
    with pytest.raises(Refusal, match="upstream_credential"):
        await parts.follow("a://1")


class EmptyStreams:
    """A transport whose server opens each stream, and closes it at once."""

    status = 200

    @asynccontextmanager
    async def request(self, *_: object, **__: object) -> AsyncIterator[EmptyStreams]:
        yield self

    def header(self, name: str) -> str | None:
        return "text/event-stream" if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        return b""


async def test_a_server_that_closes_each_stream_at_once_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    async def slept(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            raise asyncio.CancelledError

    monkeypatch.setattr("proxy.upstream.heard_stream.asyncio.sleep", slept)
    at = ResolvedInstallation("i", "e", "crm", "organisation", "remote", "http://crm", 1)
    stream = HeardStream(EmptyStreams(), None, at, lambda _method, _params: None)  # type: ignore[arg-type]  # as far as it is used
    with pytest.raises(asyncio.CancelledError):
        await stream.keep_getting({}, lambda: None)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
