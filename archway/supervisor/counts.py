"""The one metrics listener: adds the workers' counts up when it is asked, in Prometheus' text format.

Workers write plain numbers into files of their own (proxy/counting.py owns their format); nothing is sent per call.
A worker's file stays when the worker is replaced and the next one of that number goes on in it, so that counters do
not fall back.
"""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

Render = Callable[[list[Path]], bytes]
"""Files of counts to Prometheus text: `proxy.counting.render`."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_app(folder: Path, workers: Callable[[], int], render: Render) -> web.Application:
    """GET /metrics and, for the container's probe, /health."""

    async def metrics(_: web.Request) -> web.Response:
        text = render(_files(folder)) + _own(workers())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"workers": workers()}, status=200 if workers() else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health", health)
    return app


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("worker-*.counts"))


def _own(workers: int) -> bytes:
    name = "archway_proxy_workers"
    return f"# HELP {name} Workers that run.\n# TYPE {name} gauge\n{name} {workers}\n".encode()
