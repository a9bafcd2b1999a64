"""Load: N keep-alive connections, one call at a time each, each call with its own arguments, each answer checked.

A raw protocol on uvloop, so that the generator costs less than what it loads. Closed loop: it tells capacity and
cost, not the latency under a given rate (`bench/open_load.py` does). Reads `Orders` as JSON, prints one JSON line.
"""

import asyncio
import sys
import time
from typing import cast

import msgspec
import orjson
import uvloop

from bench.answers import Answers
from bench.orders import MARKER, Orders, call_templates, endpoint, get_templates
from core.tasks import Tasks

LAST_ANSWERS_S = 3.0
_DIALS = 32
"""Connections that are opened at once."""


class Load:
    """All connections of one generator, and what they saw."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.calls, self.gets = call_templates(orders), get_templates(orders)
        self.least = int(orders.arguments.get("size", 0))
        self.latencies: list[float] = []
        self.got = self.wrong = self.lost = self.open = 0
        self.example = b""
        self.over = False
        self.begun = 0
        """Of the calls that were ordered, where their number was."""
        self._tasks = Tasks("load")

    async def run(self) -> dict[str, object]:
        """Run for the ordered time; calls a second, latencies in milliseconds, wrong and lost answers."""
        for first in range(0, self.orders.connections, _DIALS):
            numbers = range(first, min(first + _DIALS, self.orders.connections))
            await asyncio.gather(*(self._dial(number) for number in numbers))
        if not self.orders.calls:  # those that were ordered by number all count
            self.latencies.clear()
            self.got = 0
        began = time.perf_counter()
        await self._time_is_over(began + self.orders.seconds)
        self.over = True
        took, calls = time.perf_counter() - began, len(self.latencies)
        until = time.perf_counter() + LAST_ANSWERS_S + self.orders.pause + float(self.orders.arguments.get("wait", 0))
        while self.open and time.perf_counter() < until:  # noqa: ASYNC110 - an event per answer would cost more
            await asyncio.sleep(0.01)
        in_order = sorted(1000 * value for value in self.latencies) or [0.0]
        return {
            "calls": len(self.latencies),
            "gets": self.got,
            "calls_per_second": calls / took,
            "p50_ms": in_order[len(in_order) // 2],
            "p99_ms": in_order[int(len(in_order) * 0.99)],
            "longest_ms": in_order[-1],
            "wrong": self.wrong,
            "lost": self.lost + self.open,
            "example": self.example.decode("latin-1"),
        }

    @property
    def all_begun(self) -> bool:
        """Whether so many calls were ordered, and each has begun."""
        return 0 < self.orders.calls <= self.begun

    async def _time_is_over(self, until: float) -> None:
        if not self.orders.calls:
            await asyncio.sleep(until - time.perf_counter())
        while self.open and time.perf_counter() < until:  # noqa: ASYNC110 - an event per answer would cost more
            await asyncio.sleep(0.01)

    def again(self, number: int, count: int) -> None:
        """A connection was ended after an answer: open another in its place."""
        _ = self._tasks.spawn("dial", self._dial(number, count))

    def note_wrong(self, answer: bytes) -> None:
        """An answer that is not the one to the call."""
        self.wrong += 1
        self.example = self.example or answer[:600]

    async def _dial(self, number: int, count: int = 0) -> None:
        host, port = endpoint(self.orders.url)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Caller(self, number, count), host, port)
        except OSError:
            self.lost += 1


class Caller(asyncio.Protocol):
    """One connection's loop of calls."""

    def __init__(self, load: Load, number: int, count: int) -> None:
        self._load, self._number, self._count = load, number, count
        self._stride, self._every = load.orders.connections, load.orders.get_every
        self._answers = Answers()
        self._marker = b""
        self._waiting = False
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        load = self._load
        load.open += 1
        if load.orders.pause:
            self._later(load.orders.pause * self._number / load.orders.connections)
        else:
            self._next()

    def _later(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._next)

    def _next(self) -> None:
        load = self._load
        if load.over or load.all_begun:
            self._transport.close()
            return
        count = self._count = self._count + 1
        self._waiting = True
        if self._every and (count + self._number) % self._every == 0:
            self._marker = b""
            self._transport.write(load.gets[count // self._every % len(load.gets)])
            return
        marker = self._marker = MARKER % (self._number, count)
        place = load.begun if load.orders.calls else self._number + count * self._stride
        load.begun += 1
        template = load.calls[place % len(load.calls)]
        self._began = time.perf_counter()
        self._transport.write(template % (marker, marker))

    def data_received(self, data: bytes) -> None:
        answers, load = self._answers, self._load
        try:
            whole = answers.feed(data)
        except ValueError:
            whole = data
            load.note_wrong(data)
        if whole is None:
            return
        self._waiting = False
        if self._marker:
            load.latencies.append(time.perf_counter() - self._began)
            marks = whole.count(self._marker)
            if answers.status != b"200" or marks != load.orders.marked or len(whole) <= load.least:
                load.note_wrong(whole)
        else:
            load.got += 1
            if answers.status not in {b"200", b"404", b"405"}:  # nobody signs in at a gateway of tokens alone
                load.note_wrong(whole)
        closes = answers.closes
        answers.clear()
        if closes:
            self._transport.close()
        elif load.orders.pause:
            self._later(load.orders.pause)
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        load = self._load
        load.open -= 1
        load.lost += self._waiting
        if not load.over and not load.all_begun:
            load.again(self._number, self._count)


if __name__ == "__main__":
    ordered = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    print(orjson.dumps(uvloop.run(Load(ordered).run())).decode())
