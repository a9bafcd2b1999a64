"""An MCP server that misbehaves at random on its connections, and callers that look for each other's answers.

    counts = await marked_calls(4000, seed=1)     # counts.crossed must be 0

Every call carries a marker which a good answer repeats. The server knows every answer that it gave before, and
uses them: behind an answer, on an idle connection, in the next caller's stream, cut at every place.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import orjson

from core.egress.addresses import AddressPolicy, parse_networks
from core.mcp.versions import MODERN
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.conversation import Upstreams
from proxy.upstream.eras import Eras
from proxy.upstream.outbound import Outbound
from proxy.upstream.running_call import Owner
from proxy.upstream.transport import Transport, open_transport
from tests.fakes.scripted_upstream import head

CALLERS = 24
_SOON_S = 0.003
JSON_TYPE, STREAM = b"Content-Type: application/json", b"Content-Type: text/event-stream"


@dataclass
class Counts:
    """What became of the calls."""

    answered: int = 0
    refused: int = 0
    crossed: int = 0


class MisbehavingUpstream(asyncio.Protocol):
    """One connection."""

    def __init__(self, chance: random.Random, earlier: list[bytes]) -> None:
        self._chance, self._earlier = chance, earlier
        self._received = b""
        self._unfit = False
        """Whether a stream on it has not ended, or more came than an answer and its end: no request may follow."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        self._received += data
        top, found, rest = self._received.partition(b"\r\n\r\n")
        length = int(top.lower().rpartition(b"content-length: ")[2].partition(b"\r\n")[0]) if found else 0
        if not found or len(rest) < length:
            return
        self._received = rest[length:]
        self._answer(orjson.loads(rest[:length]))

    def _answer(self, request: dict) -> None:  # type: ignore[type-arg]
        marker = request["params"]["arguments"]["marker"]
        result = {"content": [{"type": "text", "text": marker}], "resultType": "complete"}
        mine = orjson.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
        another = self._chance.choice(self._earlier) if self._earlier else mine
        # Worst of all: what was meant for another, under the identifier that the next request here may have.
        another_id = another.partition(b'"id":')[2].partition(b",")[0]
        next_id = b"%d" % (request["id"] + CALLERS + self._chance.randint(-2, 2))
        aimed = whole(another.replace(another_id, next_id, 1))
        self._earlier.append(mine)
        del self._earlier[:-50]
        kinds = [self._well, self._well, self._well, self._well, self._behind, self._late, self._cut, self._stream]
        kinds += [self._framed_oddly, self._wrong, self._hinted, self._streamed, self._streamed, self._streamed]
        if self._unfit:
            self._transport.write(whole(another.replace(another_id, b"%d" % request["id"], 1)))
        elif self._chance.random() < 0.1:
            # In one piece: what comes under the right identifier while a request is open is an answer to it.
            self._transport.write(self._chance.choice([whole, chunked, streamed])(mine) + aimed)
        else:
            self._chance.choice(kinds)(mine, another)

    def _well(self, mine: bytes, another: bytes) -> None:
        self._write(self._chance.choice([whole, chunked])(mine))

    def _hinted(self, mine: bytes, another: bytes) -> None:
        self._write(head(status=b"103 Early Hints") * self._chance.randint(1, 3) + whole(mine))

    def _behind(self, mine: bytes, another: bytes) -> None:
        stray = whole(another)
        self._write(self._chance.choice([whole, chunked])(mine) + stray[: self._chance.randint(1, len(stray))])

    def _late(self, mine: bytes, another: bytes) -> None:
        self._write(self._chance.choice([whole, chunked])(mine))
        stray = self._chance.choice(
            [whole(another), b"\x00garbage", b"\r\n", head(status=b"408 Request Timeout"), b""]
        )
        asyncio.get_running_loop().call_later(_SOON_S * self._chance.random(), self._write_or_close, stray)

    def _cut(self, mine: bytes, another: bytes) -> None:
        answer = self._chance.choice([whole, chunked])(mine)
        self._transport.write(answer[: self._chance.randrange(len(answer))])
        self._chance.choice([self._transport.close, self._transport.abort])()

    def _stream(self, mine: bytes, another: bytes) -> None:
        events = [b"data: " + mine + b"\n\n", b"data: " + another + b"\n\n"]
        self._chance.shuffle(events)
        body = b"".join(events)
        self._write(head(STREAM, b"Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    def _streamed(self, mine: bytes, another: bytes) -> None:
        """A stream that begins well; what comes then comes at once or later, and only its end makes it one."""
        chance, end = self._chance, b"0\r\n\r\n"
        stray = whole(another)
        rest: list[bytes | None] = chance.choice(
            [
                [end],
                [end[:2], end[2:]],
                [end, stray],
                [end + stray[: chance.randint(1, len(stray))]],
                [end + chance.choice([b"\r\n", b"\n", b"\x00"])],
                [stray],
                [event(another), event(another)],
                [event(another), end],
                [event(another), b": keep-alive\n\n", event(another)],
                [b"10000;" + b"x" * 60_000 + b"\r\n" + b"x" * 0x10000 + b"\r\n"],
                [],
                [None],
            ]
        )
        first = event(b'{"jsonrpc":"2.0","method":"notifications/message"}') if chance.random() < 0.2 else b""
        kept = b"Connection: close" if chance.random() < 0.1 else b"X: y"
        begun = head(STREAM, b"Transfer-Encoding: chunked", kept) + first + event(mine)
        at = len(begun) if chance.random() < 0.7 else chance.randrange(len(begun))
        late = 0.0
        came = b""
        for piece in (begun[:at], begun[at:], *rest):
            came += piece or b""
            fit = came == begun + end
            asyncio.get_running_loop().call_later(late, self._write_of_stream, piece, fit)
            late += _SOON_S * chance.choice([0, chance.random(), 2 * chance.random()])

    def _write_of_stream(self, piece: bytes | None, fit: bool) -> None:
        if piece is None:
            self._transport.abort()
        elif piece:
            self._unfit = not fit
            self._write_if_open(piece)

    def _framed_oddly(self, mine: bytes, another: bytes) -> None:
        length = b"Content-Length: %d" % len(mine)
        self._write(
            self._chance.choice(
                [
                    head(JSON_TYPE, length, b"Transfer-Encoding: chunked") + mine + whole(another),
                    head(JSON_TYPE, length, length) + mine + whole(another),
                    head(JSON_TYPE, b"Content-Length: %d" % (len(mine) + len(another))) + mine + another,
                    head(JSON_TYPE, length, b"Connection: close") + mine + whole(another),
                    head(JSON_TYPE, length, status=b"204 No Content") + whole(another),
                    head(JSON_TYPE, length, b"Upgrade: x", b"Connection: upgrade", status=b"101 Odd")
                    + whole(another),
                ]
            )
        )
        if self._chance.random() < 0.3:
            self._transport.write(head(JSON_TYPE) + mine)
            self._transport.close()

    def _wrong(self, mine: bytes, another: bytes) -> None:
        status = self._chance.choice([b"200 OK", b"307 Moved", b"404 Not Found", b"500 Odd"])
        self._write(head(JSON_TYPE, b"Content-Length: %d" % len(another), status=status) + another)

    def _write_or_close(self, stray: bytes) -> None:
        if stray:
            self._write_if_open(stray)
        else:
            self._transport.close()

    def _write_if_open(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _write(self, answer: bytes) -> None:
        """In one piece or in several, so that the reader meets every cut."""
        if self._chance.random() < 0.7:
            self._transport.write(answer)
            return
        at = self._chance.randrange(len(answer))
        self._transport.write(answer[:at])
        asyncio.get_running_loop().call_later(_SOON_S * self._chance.random() / 4, self._write_if_open, answer[at:])


def whole(body: bytes) -> bytes:
    return head(JSON_TYPE, b"Content-Length: %d" % len(body)) + body


def event(message: bytes) -> bytes:
    """An event in a chunk of its own."""
    data = b"event: message\r\ndata: %b\r\n\r\n" % message
    return b"%x\r\n%b\r\n" % (len(data), data)


def streamed(body: bytes) -> bytes:
    return head(STREAM, b"Transfer-Encoding: chunked") + event(body) + b"0\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return head(JSON_TYPE, b"Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


async def marked_calls(calls: int, *, seed: int, pool: bool = True) -> Counts:
    """Make `calls` calls by several callers at once, each with a marker of its own."""
    chance, earlier = random.Random(seed), list[bytes]()
    server = await asyncio.get_running_loop().create_server(
        lambda: MisbehavingUpstream(chance, earlier), "127.0.0.1", 0
    )
    transport = open_transport(AddressPolicy(parse_networks("127.0.0.0/8")), pool=pool)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    counts, numbers = Counts(), iter(range(calls))
    try:
        async with server, asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(_caller(transport, url, numbers, counts))
    finally:
        await transport.close()
    return counts


async def _caller(transport: Transport, url: str, numbers: Iterator[int], counts: Counts) -> None:
    tasks = Tasks("markers", quiet=(Exception,))
    eras = Eras(transport, tasks)
    upstreams = Upstreams(
        transport,
        eras,
        None,  # type: ignore[arg-type]  # a modern upstream has no sessions
        tasks,
        to_listen=transport,
        list_news=None,  # type: ignore[arg-type]  # nobody is told
        call_seconds=0.5,
        ceiling_seconds=1,
        max_answer=1 << 20,
    )
    installation = ResolvedInstallation("i", "e", "server", "organisation", "remote", url, 1, protocol=MODERN)
    for number in numbers:
        marker = f"marker-{number}"
        outbound = Outbound("tools/call", {"name": "t", "arguments": {"marker": marker}}, {})
        upstreams.health.breakers.answered("i", "t", "p")  # it is never left alone
        with contextlib.suppress(Refusal):
            answer = await _called(upstreams, installation, outbound)
            counts.answered += 1
            counts.crossed += marker not in str(answer.get("result", marker))
            continue
        counts.refused += 1
    await tasks.close()


async def _called(upstreams: Upstreams, installation: ResolvedInstallation, outbound: Outbound) -> dict[str, object]:
    """The answer to one call, which is sent at once where that can be, as the stages do it."""
    sent, owner = upstreams.sent.begin(installation, outbound, "p", None), Owner("p")
    if sent is None:
        return await upstreams.call(installation, outbound, owner, _ignore)
    await sent
    return upstreams.sent.received(sent) or await upstreams.go_on(sent, owner, _ignore)


async def _ignore(_: object) -> None:
    """No progress is asked for."""
