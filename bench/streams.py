"""Idle event streams: opens a legacy session and its GET stream for each, or has a modern client listen; holds all.

Reads `Orders` as one line of JSON (`connections`: how many streams; `tokens`: whose; `method`: which). Prints a line
when all are open, then holds them until its input ends, and prints what became of them.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import msgspec
import orjson
import uvloop

from bench.answers import Answers
from bench.orders import LEGACY, Orders, endpoint, listen_request

_AT_ONCE = 64
_OPENS_S = 20.0
_INITIALIZE = orjson.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        },
    }
)


class Streams:
    """All idle streams that one generator opens and holds."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._host, self._port = endpoint(orders.url)
        self._netloc = urlsplit(orders.url).netloc
        self.open = self.failed = self.lost = self.comments = 0
        self.example = b""

    async def hold(self, until: "asyncio.Future[None]") -> None:
        """Open all, say so, hold them until told."""
        began = time.perf_counter()
        numbers = iter(range(self._orders.connections))
        await asyncio.gather(*(self._open_some(numbers) for _ in range(_AT_ONCE)))
        self._say({"open": self.open, "failed": self.failed, "took_s": time.perf_counter() - began})
        comments = self.comments
        await until
        self._say({"open": self.open, "lost": self.lost, "comments": self.comments - comments})

    def _say(self, facts: dict[str, object]) -> None:
        print(orjson.dumps(facts | {"example": self.example.decode("latin-1")}).decode(), flush=True)

    async def _open_some(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            token = self._orders.tokens[number % len(self._orders.tokens)]
            path = self._orders.targets[number % len(self._orders.targets)].path
            loop = asyncio.get_running_loop()
            listens = self._orders.method == "subscriptions/listen"
            stream = Stream(self, path, self._netloc, token, listens=listens)
            try:
                async with asyncio.timeout(_OPENS_S):
                    await loop.create_connection(partial(_same, stream), self._host, self._port)
                    await stream.opened
            except (OSError, TimeoutError):
                self.failed += 1


def _same(stream: "Stream") -> "Stream":
    """What makes the connection's protocol, which is there already."""
    return stream


class Stream(asyncio.Protocol):
    """`initialize`, then the GET of its session, on one connection; or `subscriptions/listen`."""

    def __init__(self, all_of_them: Streams, path: str, netloc: str, token: str, *, listens: bool) -> None:
        self._all, self._path = all_of_them, path
        self._listen = listen_request(netloc, path, token) if listens else b""
        self._head = f"HTTP/1.1\r\nHost: {netloc}\r\nAuthorization: Bearer {token}\r\n"
        self._answers = Answers()
        self._streaming = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        if self._listen:
            self._transport.write(self._listen)
            return
        head = (
            f"POST {self._path} {self._head}Content-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nContent-Length: {len(_INITIALIZE)}\r\n\r\n"
        )
        self._transport.write(head.encode() + _INITIALIZE)

    def data_received(self, data: bytes) -> None:
        if self._streaming:
            self._all.comments += 1
            return
        if self.opened.done():
            return
        if self._answers.feed(data) is None and not self._answers.head:
            return
        head = self._answers.head
        if b"\r\ncontent-type: text/event-stream" in head:
            self._streaming = True
            self._all.open += 1
            self.opened.set_result(None)
            return
        at = head.find(b"\r\nmcp-session-id:")
        if self._answers.status != b"200" or at < 0:
            self._all.example = self._all.example or data[:600]
            self.opened.set_exception(ConnectionError("no session"))
            self._transport.close()
            return
        # The identifier as it came: the head above was made lower case.
        whole = data
        where = whole.lower().find(b"\r\nmcp-session-id:")
        session = whole[where + 17 :].split(b"\r\n", 1)[0].strip().decode()
        self._answers.clear()
        asked = (
            f"GET {self._path} {self._head}Accept: text/event-stream\r\n"
            f"Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: {LEGACY}\r\n\r\n"
        )
        self._transport.write(asked.encode())

    def connection_lost(self, error: Exception | None) -> None:
        if self._streaming:
            self._all.open -= 1
            self._all.lost += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed"))


async def main() -> None:
    """Until the input ends."""
    loop = asyncio.get_running_loop()
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    until: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sys.stdin.fileno(), until.set_result, None)
    try:
        await Streams(orders).hold(until)
    finally:
        loop.remove_reader(sys.stdin.fileno())


if __name__ == "__main__":
    uvloop.run(main())
