"""Load at a given rate, whether or not answers come: a call begins when it is due, on a free connection or a new one.

Latency counts from when a call was due, so that a queue before the server is seen. A refusal that says so (503 with
`Retry-After`, or a tool result with a refusal that may be tried again) is told apart from good and from wrong
answers. Reads `Orders` as JSON, prints one JSON line: figures of each second of each phase.
"""

import asyncio
import sys
import time
from dataclasses import dataclass, field
from typing import cast

import msgspec
import orjson
import uvloop

from bench.answers import Answers
from bench.orders import MARKER, Orders, call_templates, endpoint
from core.tasks import Tasks

SOON_S = 0.05
LAST_ANSWERS_S = 5.0
"""Beyond the time that the calls themselves were told to wait."""
_TICK_S = 0.001
_MOST_OF_A_TICK = 400
_RETRYABLE = b'"retryable":true'


@dataclass
class Second:
    """One second of the schedule; what became of the calls that were due in it."""

    rate: float
    due: int = 0
    sent: int = 0
    good: int = 0
    refused: int = 0
    wrong: int = 0
    good_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    sent_late_s: list[float] = field(default_factory=list)
    """How late we were: a part of the latencies that is not the server's."""

    def told(self) -> dict[str, float]:
        """For the JSON; latencies in milliseconds."""
        return {
            "rate": self.rate,
            "due": self.due,
            "sent": self.sent,
            "good": self.good,
            "refused": self.refused,
            "wrong": self.wrong,
            "unanswered": self.sent - self.good - self.refused - self.wrong,
            **_quantiles("good", self.good_s),
            **_quantiles("refused", self.refused_s),
            "refused_soon": sum(took <= SOON_S for took in self.refused_s),
            **_quantiles("sent_late", self.sent_late_s),
        }


class OpenLoad:
    """The schedule and all connections."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self._host, self._port = endpoint(orders.url)
        self._calls = call_templates(orders)
        self.free: list[Connection] = []
        self.seconds: list[Second] = []
        self.open = self._dialling = self._number = 0
        self.example = b""
        self.over = False
        self._tasks = Tasks("open load")

    async def run(self) -> dict[str, object]:
        """All phases, then the last answers."""
        for rate, seconds in self.orders.phases:
            for _ in range(max(1, round(seconds))):
                self.seconds.append(Second(rate))
                await self._one_second(self.seconds[-1], min(1.0, seconds))
        until = time.perf_counter() + LAST_ANSWERS_S + float(self.orders.arguments.get("wait", 0))
        while len(self.free) < self.open and time.perf_counter() < until:  # noqa: ASYNC110 - as in bench/load.py
            await asyncio.sleep(0.01)
        self.over = True
        told = [one.told() for one in self.seconds]
        return {"seconds": told, "connections": self.open, "example": self.example.decode("latin-1")}

    async def _one_second(self, second: Second, length: float) -> None:
        began, number = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < length:
            wanted = int(passed * second.rate)
            for _ in range(min(wanted - number, _MOST_OF_A_TICK)):
                number += 1
                self._begin(second, began + number / second.rate)
            await asyncio.sleep(_TICK_S if wanted - number < _MOST_OF_A_TICK else 0)
        second.due = int(length * second.rate)

    def _begin(self, second: Second, due: float) -> None:
        """A call that is due; dropped, and seen as not sent, where even the last connection is taken."""
        if not self.free:
            if self.open + self._dialling < self.orders.connections and self._dialling < 64:
                self._dialling += 1
                _ = self._tasks.spawn("dial", self._dial())
            return
        self._number += 1
        second.sent += 1
        second.sent_late_s.append(time.perf_counter() - due)
        marker = MARKER % (0, self._number % 100_000_000)
        connection = self.free.pop()
        connection.call(connection.template % (marker, marker), marker, second, due)

    async def _dial(self) -> None:
        try:
            template = self._calls[self.open % len(self._calls)]
            await asyncio.get_running_loop().create_connection(
                lambda: Connection(self, template), self._host, self._port
            )
        except OSError:
            pass
        finally:
            self._dialling -= 1


class Connection(asyncio.Protocol):
    """One keep-alive connection, which belongs to one caller."""

    def __init__(self, load: OpenLoad, template: bytes) -> None:
        self._load, self.template, self._answers = load, template, Answers()
        self._second: Second | None = None
        self._marker = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        self._load.open += 1
        self._load.free.append(self)

    def call(self, request: bytes, marker: bytes, second: Second, due: float) -> None:
        """Send a request of the given second's."""
        self._marker, self._second, self._due = marker, second, due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        try:
            whole = self._answers.feed(data)
        except ValueError:
            whole = data
        if whole is None or self._second is None:
            return
        second, took = self._second, time.perf_counter() - self._due
        self._second = None
        status = self._answers.status
        if status == b"200" and whole.count(self._marker) == 2:
            second.good += 1
            second.good_s.append(took)
        elif _is_refusal(status, self._answers.head, whole, self._marker):
            second.refused += 1
            second.refused_s.append(took)
        else:
            second.wrong += 1
            self._load.example = self._load.example or whole[:600]
        closes = self._answers.closes
        self._answers.clear()
        if closes:
            self._transport.close()
        else:
            self._load.free.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        load = self._load
        load.open -= 1
        if self in load.free:
            load.free.remove(self)


def _is_refusal(status: bytes, head: bytes, whole: bytes, marker: bytes) -> bool:
    if status == b"503":
        return b"\r\nretry-after:" in head
    return status == b"200" and marker in whole and _RETRYABLE in whole


def _quantiles(name: str, values: list[float]) -> dict[str, float]:
    in_order = sorted(1000 * value for value in values) or [0.0]
    places = {"p50": 0.5, "p99": 0.99}
    return {f"{name}_{place}_ms": in_order[int(len(in_order) * share)] for place, share in places.items()}


if __name__ == "__main__":
    ordered = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    print(orjson.dumps(uvloop.run(OpenLoad(ordered).run())).decode())
