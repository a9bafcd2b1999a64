"""Writing to a caller who may not read: every write has a deadline, and a connection that misses it is cut.

aiohttp waits without end once the connection's buffer is full, and all that waits stays in memory. Used by the
aiohttp lane.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from aiohttp import web

PIECE: Final = 256 << 10
"""What is more is written in pieces of so many bytes: each that was taken is progress, and the time begins again."""


async def within(seconds: float, request: web.BaseRequest, write: Awaitable[object]) -> None:
    """Await one write. Raises ConnectionResetError, with the connection cut, where it is not done in time."""
    transport = request.transport
    try:
        async with asyncio.timeout(seconds):
            await write
    except TimeoutError:
        if transport is not None:
            transport.abort()
        raise ConnectionResetError("the caller does not read its answer") from None


async def write_whole(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Head, body and end of a small answer."""
    await response.prepare(request)
    await response.write_eof()


async def write_pieces(seconds: float, request: web.BaseRequest, response: web.StreamResponse, body: bytes) -> None:
    """A body of any size. Each piece must be taken within so many seconds; raises as `within`."""
    if len(body) <= PIECE:
        await within(seconds, request, response.write(body))
        return
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        await within(seconds, request, response.write(view[start : start + PIECE]))
