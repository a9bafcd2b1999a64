import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from proxy.listening.door import Door


class Greeting(asyncio.Protocol):
    def __init__(self, host: "Host") -> None:
        self._host = host

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._host.here.add(self)
        transport.write(b"hello")  # type: ignore[attr-defined]  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        pass

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.here.discard(self)


class Host:
    def __init__(self) -> None:
        self.here: set[Greeting] = set()
        self.pauses = 0

    def paused(self) -> None:
        self.pauses += 1

    def __call__(self) -> asyncio.Protocol:
        return Greeting(self)

    @property
    def open_connections(self) -> int:
        return len(self.here)


class OutOfDescriptors:
    """A listening socket that refuses to give callers out, so often."""

    def __init__(self, real: socket.socket, times: int) -> None:
        self._real, self.times = real, times

    def accept(self) -> tuple[socket.socket, object]:
        if self.times:
            self.times -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as bound:
        bound.setblocking(False)
        yield bound


@asynccontextmanager
async def opened(listening: socket.socket, host: Host, places: int = 100) -> AsyncIterator[Door]:
    door = Door(listening, host, places, paused=host.paused)
    door.open()
    try:
        yield door
    finally:
        await door.close()


async def greeted(port: int) -> tuple[bytes, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(30):
        return await reader.read(5), writer


async def left(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_a_caller_is_let_in(listening: socket.socket) -> None:
    async with opened(listening, Host()):
        greeting, writer = await greeted(listening.getsockname()[1])
        assert greeting == b"hello"
        await left(writer)


async def test_who_comes_when_every_place_is_taken_waits_and_is_let_in_when_one_leaves(
    listening: socket.socket,
) -> None:
    port = listening.getsockname()[1]
    host = Host()
    async with opened(listening, host, places=2):
        (_, first), (_, second) = await greeted(port), await greeted(port)
        async with asyncio.TaskGroup() as group:
            third = group.create_task(greeted(port))
            await asyncio.sleep(0.3)
            assert not third.done()
            assert host.pauses == 1
            await left(first)
        greeting, writer = third.result()
        assert greeting == b"hello"
        await left(second)
        await left(writer)


async def test_without_descriptors_accepting_pauses_and_nobody_is_hung_up_on(listening: socket.socket) -> None:
    short = OutOfDescriptors(listening, times=3)
    host = Host()
    async with opened(short, host):  # type: ignore[arg-type]  # as much of a socket as the door uses
        greeting, writer = await greeted(listening.getsockname()[1])
        assert greeting == b"hello"
        assert short.times == 0
        assert host.pauses == 1, "one pause, tried again three times, told once"
        await left(writer)


async def test_a_caller_taken_just_before_the_door_closes_is_let_in() -> None:
    host = Host()
    with socket.create_server(("127.0.0.1", 0)) as bound, socket.create_connection(bound.getsockname()) as caller:
        bound.setblocking(False)
        door = Door(bound, host, 10)
        door._take()
        await door.close()
        assert host.open_connections == 1
        assert await asyncio.to_thread(caller.recv, 5) == b"hello"
    await asyncio.sleep(0.05)
