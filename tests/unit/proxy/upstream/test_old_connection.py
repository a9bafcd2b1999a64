"""One session by the transport of 2024-11-05: its endpoint, what goes to whom, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson
import pytest

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.answers import ON_LOOP, Json, is_answer_to, messages
from proxy.upstream.old_connection import IDLE_S, OldConnection, endpoint_of
from tests.fakes.call_parts import installation
from tests.plugins.moved_clock import MovedClock

URL = "http://server.example/sse"
ENDPOINT = b"event: endpoint\ndata: /messages?s=1\n\n"
CAP = 1 << 20


class Answered:
    """What one request is answered."""

    def __init__(self, status: int = 200, kind: str = "text/event-stream") -> None:
        self.status, self._kind = status, kind
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def header(self, name: str) -> str | None:
        return self._kind if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        return await self.chunks.get()

    async def read_capped(self, cap_bytes: int) -> bytes:
        return b""

    def never_reuse(self) -> None: ...

    def may_be_left(self, *, all_read: bool) -> None: ...


class Server:
    """A server whose stream says what a test puts on it."""

    def __init__(self) -> None:
        self.stream, self.posted_status = Answered(), 202
        self.posted: list[tuple[str, dict[str, str], Json]] = []

    @asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, deadline: object = None
    ) -> AsyncIterator[Answered]:
        if method == "GET":
            yield self.stream
            return
        self.posted.append((url, dict(headers), orjson.loads(body or b"")))
        posted = Answered(self.posted_status, "text/plain")
        posted.chunks.put_nowait(b"")
        yield posted

    def says(self, *said: bytes | Json) -> None:
        for one in said:
            event = one if isinstance(one, bytes) else b"data: " + orjson.dumps(one) + b"\n\n"
            self.stream.chunks.put_nowait(event)


class Met:
    def __init__(self, most: int = CAP, stream: Answered | None = None) -> None:
        self.server, self.tasks = Server(), Tasks("test", quiet=(UpstreamFault,))
        self.server.stream = stream or self.server.stream
        self.connection = OldConnection(self.server, self.server, installation(URL), most)  # type: ignore[arg-type]
        self.reading = self.tasks.spawn("read", self.connection.read())

    async def call(self, number: int) -> list[Json]:
        """What comes for one request, until its answer."""
        body = orjson.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call"})
        heard: list[Json] = []
        async with self.connection.request("POST", PublicUrl(self.connection.at.url), {}, body) as response:
            async for message in messages(response, cap_bytes=CAP):
                heard.append(message)
                if is_answer_to(message, number):
                    break
        return heard


@pytest.fixture
async def met() -> AsyncIterator[Met]:
    made = Met()
    yield made
    await made.tasks.close()


def result(number: object, text: str = "") -> Json:
    return {"jsonrpc": "2.0", "id": number, "result": {"text": text}}


async def begun(met: Met, *numbers: int) -> list[asyncio.Task[list[Json]]]:
    met.server.says(ENDPOINT)
    await met.connection.endpoint_known()
    calls = [met.tasks.spawn("call", met.call(number)) for number in numbers]
    while len(met.connection._waiting) < len(numbers):  # noqa: ASYNC110 - they begin at once
        await asyncio.sleep(0)
    return calls


async def test_the_endpoint_is_posted_to(met: Met) -> None:
    (call,) = await begun(met, 7)
    met.server.says(result(7))
    assert await call == [result(7)]
    assert met.server.posted[0][0] == "http://server.example/messages?s=1"


async def test_each_request_hears_its_own_whatever_the_order(met: Met) -> None:
    first, second = await begun(met, 7, 8)
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p7"}}
    said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
    met.server.says(progress, said, b"data: no json\n\n", b"event: other\ndata: {}\n\n", result("8"), result(7))
    assert (await first, await second) == ([progress, result(7)], [said, result("8")])


async def test_a_large_answer_is_found_beside_the_loop(met: Met) -> None:
    first, second = await begun(met, 7, 8)
    large = result(7, "x" * (ON_LOOP + 1))
    met.server.says(large, result(8))
    assert await first == [large]
    assert await second == [large, result(8)]  # which passes over what is not its own


async def test_what_waits_for_a_request_is_bounded() -> None:
    met = Met(most=1000)
    (call,) = await begun(met, 7)
    said: Json = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x" * 400}}
    met.server.says(b"".join(b"data: " + orjson.dumps(said) + b"\n\n" for _ in range(50)))
    met.server.says(b"")
    with pytest.raises(UpstreamFault, match="broken"):
        await call
    await met.tasks.close()


async def test_a_refused_post_is_the_answer(met: Met) -> None:
    met.server.says(ENDPOINT)
    await met.connection.endpoint_known()
    met.server.posted_status = 404
    body = b'{"id":7,"method":"ping"}'
    async with met.connection.request("POST", PublicUrl(met.connection.at.url), {}, body) as response:
        assert response.status == 404


async def test_a_stream_that_ends_fails_what_waits_and_takes_no_more(met: Met) -> None:
    (call,) = await begun(met, 7)
    met.server.says(b"")
    with pytest.raises(UpstreamFault) as broken:
        await call
    assert (broken.value.reason, broken.value.sent) == ("broken", True)
    await met.reading
    with pytest.raises(UpstreamFault) as closed:
        await met.call(8)
    assert not closed.value.sent


async def test_a_request_has_its_deadline(met: Met) -> None:
    await begun(met)
    with pytest.raises(UpstreamFault, match="slow"):
        async with met.connection.request(
            "POST", PublicUrl(met.connection.at.url), {}, b'{"id":7,"method":"ping"}', deadline=0
        ) as response:
            await response.next_chunk()


async def test_one_that_is_not_used_for_long_is_closed(met: Met, clock: MovedClock) -> None:
    await begun(met)
    clock.pass_by(IDLE_S + 1)
    await asyncio.wait_for(met.reading, 30)
    assert met.connection.over


@pytest.mark.parametrize(("status", "kind"), [(401, "text/plain"), (200, "text/html")])
async def test_a_get_that_opens_no_stream_says_why(status: int, kind: str) -> None:
    met = Met(stream=Answered(status, kind))
    met.server.says(b"")
    with pytest.raises((Refusal, UpstreamFault)) as why:
        await met.connection.endpoint_known()
    assert str(why.value) == ("upstream_credential" if status == 401 else "broken")


async def test_an_event_that_is_too_large_ends_it(met: Met) -> None:
    met.server.says(b"event: endpoint\ndata: " + b"x" * (CAP + 1))
    with pytest.raises(UpstreamFault, match="too_large"):
        await met.connection.endpoint_known()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (b"/messages?s=1", "http://server.example/messages?s=1"),
        (b"messages", "http://server.example/messages"),
        (b"?s=1", "http://server.example/sse?s=1"),
        (b" http://server.example/m#x ", "http://server.example/m"),
    ],
)
def test_an_endpoint_is_found_from_the_stream_on(named: bytes, found: str) -> None:
    assert endpoint_of(URL, named) == found


@pytest.mark.parametrize(
    "named",
    [
        b"http://evil.example/m",
        b"//evil.example/m",
        b"https://server.example/m",
        b"http://server.example:81/m",
        b"http://user@server.example/m",
        b"file:///etc/passwd",
        "/m\u00fc".encode(),
        b"/" + b"x" * 3000,
    ],
)
async def test_an_endpoint_elsewhere_is_none(named: bytes) -> None:
    with pytest.raises(ValueError):
        endpoint_of(URL, named)
    met = Met()
    met.server.says(b"event: endpoint\ndata: " + named + b"\n\n")
    with pytest.raises(UpstreamFault, match="broken"):
        await met.connection.endpoint_known()
    assert met.server.posted == []
