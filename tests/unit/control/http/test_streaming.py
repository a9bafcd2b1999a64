"""Answers that are sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from control.http.streaming import stream
from control.store.pool import StoreUnavailable

Serve = Callable[[Callable[[], AsyncIterator[bytes]]], Awaitable[Any]]


@pytest.fixture
def serve(aiohttp_client: Any) -> Serve:
    """A client of a server that answers every request with these pieces."""

    async def start(pieces: Callable[[], AsyncIterator[bytes]]) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await stream(request, pieces(), "application/jsonl", write_within=0.2)
            except StoreUnavailable:
                return web.Response(status=503)

        app = web.Application()
        app.router.add_get("/", handle)
        return await aiohttp_client(app)

    return start


async def test_all_pieces_arrive_in_their_order(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"1\n", b"2\n", b"3\n"):
            yield piece

    answer = await (await serve(pieces)).get("/")
    assert (answer.status, answer.content_type, await answer.read()) == (200, "application/jsonl", b"1\n2\n3\n")


async def test_no_pieces_are_an_empty_answer(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in ():
            yield piece

    answer = await (await serve(pieces)).get("/")
    assert (answer.status, await answer.read()) == (200, b"")


async def test_a_fault_before_the_first_piece_can_still_be_told_with_a_status(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        raise StoreUnavailable("away")
        yield b""

    assert (await (await serve(pieces)).get("/")).status == 503


async def test_a_fault_in_the_middle_cuts_the_answer_off_so_that_it_is_not_taken_for_whole(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"1\n"
        await asyncio.sleep(0.05)
        raise StoreUnavailable("away")

    answer = await (await serve(pieces)).get("/")
    assert answer.status == 200
    with pytest.raises(aiohttp.ClientPayloadError):
        await answer.read()


async def test_a_reader_who_does_not_read_is_cut_off(serve: Serve) -> None:
    ended = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            ended.set()

    client = await serve(pieces)
    answer = await client.get("/")
    async with asyncio.timeout(30):
        await ended.wait()
    answer.close()
