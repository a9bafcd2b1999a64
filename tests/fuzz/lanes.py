"""The same bytes to a worker of each way: what each answered, what it sent on, and what its records say.

The workers (aiohttp lane, fast lane without plans, fast lane with plans) share a control, a Redis and one server
behind them, which answers in every `how` of `server_answers.py`. Every byte string is followed by a last request
with `Connection: close`, so that a whole conversation ends by itself, and whether the connection went on is seen by
whether that one is answered. One that never completes a request is ended by the worker's deadline for headers and
bodies.
"""

import asyncio
import hashlib
import json
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any
from unittest.mock import patch

import orjson
from msgspec import structs

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.records import CallRecord
from proxy.redis_patience import Patience
from proxy.upstream import breakers
from tests.fakes.mcp_answers import Answer, Received
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_answers import BrokenAnswer, WholeAnswer, answers_in
from tests.fixtures_redis import RedisServer
from tests.fuzz.server_answers import answered_as_told
from tests.proxy.conftest import WAYS, Rig, running_rig

FAREWELL = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
SLOW_S = 0.4
"""The workers' deadline for headers and for bodies."""
MORE_WITHIN_S = 0.03
"""An answer that says close is believed after so long without another, by a loop that is in time; aiohttp lingers for
a second."""
ENDS_WITHIN_S = 30.0
_MOST_RECORDS = 1000
STREAM_IS_OPEN_S = 0.4
"""An event stream that says nothing for so long is taken for one that stays open."""
Cuts = Sequence[int] | Callable[[bytes], Sequence[int]]
"""Places, or what finds them in the bytes that are sent."""
_BEGINNING = re.compile(
    rb"POST|GET|HEAD|DELETE|OPTIONS|PUT|PATCH|post|TRACE|CONNECT|PRI|SOURCE|M-SEARCH|(?<=\})[^\n{}]+HTTP/"
)
_REQUEST_ID = re.compile(rb'"request_id":"[0-9a-f-]{36}"')
_ONLY_OURS = {"date", "x-request-id", "mcp-session-id", "connection", "keep-alive"}
"""Headers whose value differs from one request to the next; `connection` is told by `closes`."""
_OF_ONE_CALL = {"id", "time", "duration_ms", "request_id", "session", "arguments_sha256"}
"""Fields of a record that no two calls share."""
_FORWARDED = ("authorization", "content-type", "x-tenant", "mcp-method", "mcp-name", "mcp-protocol-version")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer without what no two answers share."""

    status: int
    version: str
    headers: tuple[tuple[str, str], ...]
    named: frozenset[str]
    """Headers that are there, whatever they say."""
    body: bytes
    closes: bool
    record: tuple[Any, ...] = ()
    """What the record of the call says, if it is the answer to one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one worker made of a byte string."""

    answers: tuple[Said, ...]
    calls: tuple[tuple[Any, ...], ...]
    """What the server behind got, in order."""
    rest: bytes = b""
    """The beginning of an answer that is not whole."""
    ended: bool = True
    """Whether the connection was closed by the worker."""


def every_byte(whole: bytes) -> Sequence[int]:
    """Cut everywhere."""
    return range(1, len(whole))


def every_end(whole: bytes) -> Sequence[int]:
    """Cut wherever a request may end: a long body that comes byte by byte would miss its deadline."""
    return [match.end() for match in re.finditer(rb"[}\]\n]", whole)] + beginnings(whole)


def beginnings(whole: bytes) -> list[int]:
    """Where requests may begin, but the first."""
    return [match.start() for match in _BEGINNING.finditer(whole)][1:]


def in_two(number: int) -> Callable[[bytes], Sequence[int]]:
    """Cut at the beginning of this request alone."""
    return lambda whole: beginnings(whole)[number : number + 1]


class _Waiting(deque[Any]):
    """The records that a worker keeps for control, each seen when it is kept; rows as control reads them."""

    def __init__(self, seen: dict[str, CallRecord]) -> None:
        super().__init__()
        self._seen = seen

    def append(self, one: Any) -> None:
        """Keep one."""
        super().append(one)
        record: CallRecord = one if isinstance(one, CallRecord) else _of_row(*one)
        if record.tool:  # not those of the door, of which there are only so many
            self._seen[record.request_id] = record


def _of_row(line: CallRecord, call_id: str, *fields: Any) -> CallRecord:
    names = ("time", "duration_ms", "status", "arguments_sha256", "bytes_in", "bytes_out")
    row = dict(zip(names, fields, strict=True)) | {"id": call_id, "request_id": call_id}
    return structs.replace(line, **row | {"arguments_sha256": row["arguments_sha256"].hex()})


class Lane:
    """One worker, and connections to it."""

    def __init__(self, name: str, letter: str, rig: Rig, upstream: McpUpstream) -> None:
        self.name, self._rig, self._upstream = name, rig, upstream
        self._letter, self._numbers = letter, count()
        self._records: dict[str, CallRecord] = {}
        """By request."""
        rig.worker.deps.records._waiting = _Waiting(self._records)

    @property
    def by_plan(self) -> int:
        """How many calls it sent by a plan."""
        return self._rig.worker.slots.planned

    async def outcome(self, raw: bytes, cuts: Cuts) -> Outcome:
        """Send `raw`, cut at these places, then the farewell; read to the end."""
        mark = f"~{self._letter}{next(self._numbers) % 10_000:04}".encode()
        filled = await self._filled(raw, mark)
        whole = filled + FAREWELL
        found = cuts(whole) if callable(cuts) else cuts
        places = sorted({0, *(place for place in found if 0 < place < len(whole)), len(whole)})
        pieces = [whole[start:end] for start, end in pairwise(places)]
        got, ended = await _conversation(self._rig.port, pieces)
        got = got.replace(mark, b"{MARK}")
        received = [one for one in self._upstream.seen if mark in one.raw and one.method == "tools/call"]
        calls = tuple(_call(one, mark) for one in received)
        if not ended and got.endswith(COMMENT_KEEPALIVE + b"\r\n"):
            got += b"0\r\n\r\n"  # a stream that stays open: what it has said so far is compared as any answer is
        try:
            answers, rest = answers_in(got, head_last=True)
        except BrokenAnswer as broken:
            return Outcome((), calls, f"{broken} in {got!r}".encode(), ended)
        for _ in range(5):  # a record may be kept just behind its answer
            await asyncio.sleep(0)
        digests = {_digest(one.arguments, b""): _digest(one.arguments, mark) for one in received}
        said = tuple(_said(one, self._record_of(one, digests)) for one in answers)
        if len(self._records) > _MOST_RECORDS:
            self._records.clear()  # of answers that nobody got
        return Outcome(said, calls, _REQUEST_ID.sub(b"", rest), ended)

    def _record_of(self, answer: WholeAnswer, digests: dict[str, str]) -> tuple[Any, ...]:
        """What the record of this answer's call says, and whether its digest is that of what the server got."""
        record = self._records.pop(answer.header("x-request-id") or "", None)
        if record is None:
            return ()
        fields = [(name, getattr(record, name)) for name in record.__struct_fields__ if name not in _OF_ONE_CALL]
        digest = digests.get(record.arguments_sha256, "of nothing that was sent")
        return (*fields, bool(record.session), digest)

    async def _filled(self, raw: bytes, mark: bytes) -> bytes:
        raw = raw.replace(b"{MARK}", mark).replace(b"{TOKEN}", self._rig.token.encode())
        if b"{SESSION}" not in raw:
            return raw
        session = await self._rig.open_session()
        return raw.replace(b"{SESSION}", session.encode())


@asynccontextmanager
async def all_lanes(redis: RedisServer, slow: float = SLOW_S) -> AsyncIterator[tuple[list[Lane], McpUpstream]]:
    """A worker of each way, the reference first, with a gateway `g`: `echo`, `told`, which tells its progress, and
    `odd`, which answers as it is told."""
    settings: dict[str, Any] = {
        "header_seconds": slow,
        "body_seconds": slow,
        "unknown_per_second": 1_000_000,
        "max_body": 1 << 16,
    }
    async with AsyncExitStack() as ending:
        ending.enter_context(patch.object(breakers, "_FAILURES", 1 << 30))  # no call fails for another's sake
        upstream = await ending.enter_async_context(McpUpstream(era="both"))
        upstream.tool("told", Answer(text="told", progress=2))
        upstream.tool("odd", answered_as_told)
        reference = await ending.enter_async_context(running_rig(redis, WAYS[0], **settings))
        rigs = [reference]
        for way in WAYS[1:]:
            rig = await ending.enter_async_context(running_rig(redis, way, control=reference.control, **settings))
            rig.token = reference.token
            rigs.append(rig)
        tools = [
            reference.control.tool(name, name, reference.control.installation(upstream.url))
            for name in ("echo", "told", "odd")
        ]
        await reference.serve(tools, header_allowlist=["x-tenant"], client_auth_beside=["oauth"])
        yield [Lane(rig.way, rig.way[0], rig, upstream) for rig in rigs], upstream


async def _conversation(port: int, pieces: Sequence[bytes]) -> tuple[bytes, bool]:
    """What came back, and whether the worker closed."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        got = bytearray()
        try:
            async with asyncio.timeout(ENDS_WITHIN_S), asyncio.TaskGroup() as both:
                sending = both.create_task(_send(sock, pieces))
                ended = await _receive(sock, got)
                sending.cancel()
        except TimeoutError:
            ended = False
        return bytes(got), ended


async def _send(sock: socket.socket, pieces: Sequence[bytes]) -> None:
    loop = asyncio.get_running_loop()
    for piece in pieces:
        try:
            await loop.sock_sendall(sock, piece)
        except ConnectionError:
            return  # the worker has had enough
        for _ in range(2):  # it runs in this loop: let it take each piece by itself
            await asyncio.sleep(0)


async def _receive(sock: socket.socket, got: bytearray) -> bool:
    """Read until the end, or until the last answer has said that it is the last; False where a stream stays open."""
    loop = asyncio.get_running_loop()
    while True:
        patience, ended = _patience(bytes(got))
        try:
            async with nullcontext() if patience is None else Patience(patience):
                part = await loop.sock_recv(sock, 1 << 16)
        except TimeoutError:
            return ended
        except ConnectionError:
            return True
        if not part:
            return True
        got += part


def _patience(got: bytes) -> tuple[float | None, bool]:
    """How long to wait for more, None for as long as it takes; and whether the connection has ended if none comes."""
    if got.endswith(COMMENT_KEEPALIVE + b"\r\n"):
        return STREAM_IS_OPEN_S, False
    try:
        answers, rest = answers_in(got)
    except BrokenAnswer:
        return None, True
    says_so = bool(answers) and not rest and answers[-1].says_close
    return (MORE_WITHIN_S, True) if says_so else (None, True)


def _digest(arguments: Any, mark: bytes) -> str:
    """Of a record, with the mark taken out."""
    try:
        data = orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number that only Python's own reader can hold
        return ""
    return hashlib.sha256(data.replace(mark, b"{MARK}") if mark else data).hexdigest()


def _said(answer: WholeAnswer, record: tuple[Any, ...]) -> Said:
    return Said(
        answer.status,
        answer.version,
        tuple(sorted(pair for pair in answer.headers if pair[0] not in _ONLY_OURS)),
        frozenset(name for name, _ in answer.headers if name in _ONLY_OURS - {"connection", "keep-alive"}),
        _REQUEST_ID.sub(b"", answer.body),
        answer.says_close,
        record,
    )


def _call(received: Received, mark: bytes) -> tuple[Any, ...]:
    """A call as the server behind got it, without its id and progress token: those are ours, and each call's own."""
    params = dict(received.params)
    params["_meta"] = {name: value for name, value in received.meta.items() if name != "progressToken"}
    body = json.dumps(params, sort_keys=True).encode().replace(mark, b"{MARK}")
    return (body, *(received.headers.get(name) for name in _FORWARDED))
