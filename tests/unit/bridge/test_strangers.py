"""Connections without a token, against a bridge's HTTP server on real sockets."""

import asyncio

import pytest
from aiohttp import web

from bridge.strangers import MOST, BridgeServer, Strangers

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def strangers():
    return Strangers()


@pytest.fixture
async def connect(strangers):
    """Opens connections to a server whose callers have the token."""

    async def let_in(http):
        strangers.forget(http.protocol)
        return web.Response(text="hello")

    listening = await asyncio.get_running_loop().create_server(BridgeServer(let_in, strangers), "127.0.0.1", 0)
    at = listening.sockets[0].getsockname()
    opened = []

    async def connect():
        opened.append(await asyncio.open_connection(*at))
        return opened[-1]

    yield connect
    for _, writer in opened:
        writer.close()
    listening.close()


async def asked(connection):
    reader, writer = connection
    writer.write(ASK)
    assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


async def until(true):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  # of what sockets do, nobody tells
            await asyncio.sleep(0.01)


async def test_of_those_who_show_no_token_the_oldest_ends_for_one_more(connect, strangers):
    held = [await connect() for _ in range(MOST)]
    await until(lambda: len(strangers) == MOST)
    await connect()
    async with asyncio.timeout(30):
        assert await held[0][0].read() == b""
    await asked(held[1])


async def test_who_has_shown_it_stays_however_many_come_after(connect, strangers):
    caller = await connect()
    await asked(caller)
    held = [await connect() for _ in range(MOST + 5)]
    assert held
    await until(lambda: len(strangers) == MOST)
    await asked(caller)


async def test_one_that_leaves_makes_room(connect, strangers):
    _, writer = await connect()
    await until(lambda: len(strangers) == 1)
    writer.close()
    await until(lambda: len(strangers) == 0)
