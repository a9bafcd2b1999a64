"""A long answer, sent piece by piece: what an operation that returns an async iterator of bytes is answered with.

Called by `control/admin/api.py`. The first piece is asked for before the answer begins, so that a refusal, or a
database that is away, can still be told with a status. After that a fault cuts the answer off: the reader must not
take it for whole.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from control.store.pool import StoreUnavailable

log = logging.getLogger(__name__)
WRITE_WITHIN_S: Final = 60.0
"""The longest that a reader may take over one piece."""


async def stream(
    request: web.Request, pieces: AsyncIterator[bytes], media: str, write_within: float = WRITE_WITHIN_S
) -> web.StreamResponse:
    """Answer with all pieces, one after the other; nothing is read ahead of a slow reader."""
    first = await anext(pieces, b"")
    answer = web.StreamResponse(headers={"Content-Type": media})
    await answer.prepare(request)
    try:
        await _write(answer, first, write_within)
        async for piece in pieces:
            await _write(answer, piece, write_within)
    except (StoreUnavailable, TimeoutError) as fault:
        log.warning("answer cut off", extra={"path": request.path, "fault": str(fault)})
        if request.transport is not None:
            request.transport.abort()  # no end of the body: the reader sees that it is not whole
        return answer
    await answer.write_eof()
    return answer


async def _write(answer: web.StreamResponse, piece: bytes, within: float) -> None:
    async with asyncio.timeout(within):
        await answer.write(piece)
