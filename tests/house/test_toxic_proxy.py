"""The toxic proxy does what each of its words says, to connections that are already open too."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.fakes.toxic_proxy import ToxicProxy

TEN = b"0123456789"


@pytest.fixture
async def proxy() -> AsyncIterator[ToxicProxy]:
    """In front of a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with ToxicProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as toxic:
        yield toxic
    server.close()
    await server.wait_closed()


async def ask(proxy: ToxicProxy, data: bytes = TEN, wanted: int = 10) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(data)
        async with asyncio.timeout(30):
            return await reader.readexactly(wanted)
    finally:
        writer.transport.abort()


async def test_without_a_fault_bytes_pass(proxy: ToxicProxy) -> None:
    big = TEN * 50_000
    assert await ask(proxy, big, len(big)) == big


async def test_down_refuses_and_up_again_is_the_same_port(proxy: ToxicProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(TEN)
    assert await reader.readexactly(10) == TEN
    await proxy.set(down=True)
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.transport.abort()
    with pytest.raises(ConnectionError):
        await ask(proxy)
    await proxy.set()
    assert await ask(proxy) == TEN


async def test_a_black_hole_keeps_the_connection_and_swallows_the_bytes(proxy: ToxicProxy) -> None:
    await proxy.set(blackhole=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(TEN)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    writer.transport.abort()


async def test_latency_delays_each_direction(proxy: ToxicProxy) -> None:
    await proxy.set(latency=0.05)
    before = time.monotonic()
    await ask(proxy)
    assert time.monotonic() - before >= 0.1


async def test_bandwidth_spreads_the_bytes_over_time(proxy: ToxicProxy) -> None:
    await proxy.set(bandwidth=500.0, slices=10)
    before = time.monotonic()
    await ask(proxy, TEN * 5, 50)
    assert time.monotonic() - before >= 0.08


async def test_a_reset_and_a_limit_cut_after_their_bytes(proxy: ToxicProxy) -> None:
    await proxy.set(limit_after=4)
    with pytest.raises(asyncio.IncompleteReadError) as cut:
        await ask(proxy)
    assert cut.value.partial == TEN[:4]
    await proxy.set(reset_after=4)
    with pytest.raises(ConnectionResetError):
        await ask(proxy)


async def test_garbage_begins_after_its_bytes(proxy: ToxicProxy) -> None:
    await proxy.set(garbage_after=3)
    answer = await ask(proxy)
    assert answer[:3] == TEN[:3]
    assert all(wrong != right for wrong, right in zip(answer[3:], TEN[3:], strict=True))


async def test_slices_keep_every_byte(proxy: ToxicProxy) -> None:
    await proxy.set(slices=3)
    assert await ask(proxy) == TEN


async def test_an_unknown_fault_is_refused(proxy: ToxicProxy) -> None:
    with pytest.raises(TypeError, match="blackhol"):
        await proxy.set(blackhol=True)
