"""A TCP proxy between two parts under test that can be told to misbehave while it runs.

    async with ToxicProxy("127.0.0.1", redis_port) as toxic:
        connect_to(toxic.port)
        await toxic.set(latency=0.2)      # from now on, open connections included
        await toxic.set(down=True)        # refuse, and reset what is open
        await toxic.set()                 # healthy again, on the same port

One `Toxic` at a time, replaced whole. The words are those of Shopify's toxiproxy where it has one.
"""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Toxic:
    """What is wrong. Seconds and bytes; the byte counts are per connection, of what the far side sends."""

    down: bool = False  # no listener: connections are refused, open ones reset
    blackhole: bool = False  # swallow all bytes in both directions, keep connections open
    latency: float = 0.0  # seconds before each piece, in both directions
    jitter: float = 0.0  # up to this many seconds more or less
    bandwidth: float = 0.0  # bytes a second per direction; 0 is unlimited
    slices: int = 0  # pass on at most this many bytes at a time
    reset_after: int | None = None  # RST to the client after this many bytes
    limit_after: int | None = None  # FIN to the client after this many bytes
    garbage_after: int | None = None  # flip the bits of every byte after this many


class _Cut(Exception):
    """The toxic ends this connection; `reset` says how."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class ToxicProxy:
    """Listens on a free loopback port (`port`) and passes everything to `host`:`port` given, less what is wrong."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.toxic = Toxic()
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def set(self, **faults: float | bool | None) -> None:
        """Replace what is wrong; no argument means healthy. Names are the fields of `Toxic`."""
        was_down = self.toxic.down
        self.toxic = Toxic(**faults)  # type: ignore[arg-type]  # the dataclass refuses unknown names itself
        if self.toxic.down:
            await self._hang_up()
        elif was_down:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        reset = True
        try:
            reset = await self._relay(reader, writer)
        except asyncio.CancelledError:
            pass  # hung up on: the task ends here, and its client gets the reset
        finally:
            self._open.discard(task)
            _end(writer, reset=reset)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Both directions until both have ended; whether the client is to get a reset."""
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._far)
        except OSError:
            return True
        reset = False
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._pump(reader, far_writer, answers=False))
                directions.create_task(self._pump(far_reader, writer, answers=True))
        except* _Cut as cut:
            reset = any(isinstance(one, _Cut) and one.reset for one in cut.exceptions)
        except* OSError:
            reset = True
        finally:
            far_writer.transport.abort()
        return reset

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        passed = 0
        while data := await reader.read(_READ_BYTES):
            if self.toxic.blackhole:
                continue
            await self._delay()
            step = self.toxic.slices or len(data)
            for start in range(0, len(data), step):
                passed += await self._pass_on(data[start : start + step], passed, writer, answers=answers)
        if writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()

    async def _delay(self) -> None:
        toxic = self.toxic
        if toxic.latency or toxic.jitter:
            await asyncio.sleep(max(0.0, toxic.latency + random.uniform(-toxic.jitter, toxic.jitter)))

    async def _pass_on(self, piece: bytes, passed: int, writer: asyncio.StreamWriter, *, answers: bool) -> int:
        toxic = self.toxic
        cut: _Cut | None = None
        if answers:
            piece = _garbled(piece, passed, toxic.garbage_after)
            piece, cut = _shortened(piece, passed, toxic)
        writer.write(piece)
        await writer.drain()
        if cut is not None:
            raise cut
        if toxic.bandwidth:
            await asyncio.sleep(len(piece) / toxic.bandwidth)
        return len(piece)


def _garbled(piece: bytes, passed: int, after: int | None) -> bytes:
    if after is None or passed + len(piece) <= after:
        return piece
    good = max(0, after - passed)
    return piece[:good] + bytes(byte ^ 0xFF for byte in piece[good:])


def _shortened(piece: bytes, passed: int, toxic: Toxic) -> tuple[bytes, _Cut | None]:
    for limit, reset in ((toxic.reset_after, True), (toxic.limit_after, False)):
        if limit is not None and passed + len(piece) >= limit:
            return piece[: max(0, limit - passed)], _Cut(reset=reset)
    return piece, None


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """FIN after what is buffered, or RST at once (a linger of zero seconds)."""
    if not reset:
        writer.close()
        return
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
