"""The one metrics listener: adds the workers' counts up when it is asked, in Prometheus' text format.

Workers write plain numbers into files of their own (proxy/slots_file.py owns their format); nothing is sent per call.
A worker's file stays when the worker is replaced and the next one of that number goes on in it, so that counters do
not fall back. Who asks and does not read is cut off; it costs the workers nothing, and others at most a wait.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

Render = Callable[[list[Path]], bytes]
"""Files of counts to Prometheus text: `proxy.exposition.Exposition`."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
AT_ONCE: Final = 8
"""Scrapes that are answered at the same time; the text of each may be a megabyte."""
READ_WITHIN_S: Final = 10.0


def metrics_app(
    folder: Path, workers: Callable[[], int], render: Render, read_within_s: float = READ_WITHIN_S
) -> web.Application:
    """GET /metrics and, for the container's probe, /health."""
    rendering = asyncio.Lock()
    scrapes = 0

    async def metrics(request: web.Request) -> web.StreamResponse:
        nonlocal scrapes
        if scrapes >= AT_ONCE:
            return web.Response(status=503, text="Too many scrapes at once.\n")
        scrapes += 1
        try:
            async with rendering:  # off the loop, which keeps the workers; one after the other
                text = await asyncio.to_thread(render, _files(folder))
            return await _written(request, text + _own(workers()), read_within_s)
        finally:
            scrapes -= 1

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"workers": workers()}, status=200 if workers() else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health", health)
    return app


async def _written(request: web.Request, body: bytes, within_s: float) -> web.StreamResponse:
    """Written here, not by aiohttp: it would wait without end for who does not read."""
    response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
    response.content_length = len(body)
    try:
        async with asyncio.timeout(within_s):
            await response.prepare(request)
            await response.write(body)
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
    return response


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("worker-*.counts"))


def _own(workers: int) -> bytes:
    name = "archway_proxy_workers"
    return f"# HELP {name} Workers that run.\n# TYPE {name} gauge\n{name} {workers}\n".encode()
