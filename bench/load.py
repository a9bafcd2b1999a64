"""Load: N keep-alive connections, one call at a time each, each call with its own arguments, each answer checked.

A raw protocol on uvloop, so that the generator costs less than what it loads. Closed loop: it tells capacity and
cost, not the latency under a given rate. Prints one JSON line. argv: URL TOKEN[,TOKEN...] TOOL CONNECTIONS SECONDS.
"""

import asyncio
import sys
import time
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

_ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


class Caller(asyncio.Protocol):
    """One connection's loop of calls."""

    def __init__(self, head: bytes, tool: str, number: int, tally: "Tally") -> None:
        self._head, self._tool, self._number, self._tally = head, tool, number, tally
        self._count = 0
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        self._call()

    def _call(self) -> None:
        if self._tally.over:
            self._transport.close()
            return
        self._count += 1
        self._marker = f"m-{self._number}-{self._count}"
        params = {"name": self._tool, "arguments": {"text": self._marker}, "_meta": _ENVELOPE}
        body = orjson.dumps({"jsonrpc": "2.0", "id": self._marker, "method": "tools/call", "params": params})
        self._began = time.perf_counter()
        self._transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        held = self._held = self._held + data
        end = held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = held[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(held) < end + 4 + length:
            return
        self._held = held[end + 4 + length :]
        self._tally.latencies.append(time.perf_counter() - self._began)
        if not head.startswith(b"http/1.1 200") or held.count(self._marker.encode()) != 2 or self._held:
            self._tally.wrong += 1
        self._call()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._tally.over:
            self._tally.lost += 1


class Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.wrong = 0
        self.lost = 0
        self.over = False


async def load(url: str, tokens: str, tool: str, connections: int, seconds: float) -> dict[str, float]:
    """Run for `seconds`; calls a second, latencies in milliseconds, wrong and lost answers."""
    parts = urlsplit(url)
    heads = [
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {one}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        for one in tokens.split(",")
    ]
    tally, loop = Tally(), asyncio.get_running_loop()
    began = time.perf_counter()
    assert parts.hostname is not None
    assert parts.port is not None
    for number in range(connections):
        head = heads[number % len(heads)].encode()
        await loop.create_connection(partial(Caller, head, tool, number, tally), parts.hostname, parts.port)
    await asyncio.sleep(seconds)
    tally.over = True
    took = time.perf_counter() - began
    await asyncio.sleep(0.3)
    sorted_ms = sorted(1000 * value for value in tally.latencies) or [0.0]
    return {
        "calls": len(tally.latencies),
        "calls_per_second": len(tally.latencies) / took,
        "p50_ms": sorted_ms[len(sorted_ms) // 2],
        "p99_ms": sorted_ms[int(len(sorted_ms) * 0.99)],
        "wrong": tally.wrong,
        "lost": tally.lost,
    }


if __name__ == "__main__":
    url, token, tool, connections, seconds = sys.argv[1:]
    print(orjson.dumps(uvloop.run(load(url, token, tool, int(connections), float(seconds)))).decode())
