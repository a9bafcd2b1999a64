"""The sockets of both planes' internal listeners: aiohttp's server, which says nothing of what it could not read.

By itself aiohttp answers a request that is not HTTP in words that repeat its bytes, writes a traceback with them into
the log for each, and names its own version on every answer. Whoever reaches an internal port without a proof learns
nothing there, and no secret in a broken header gets into a log. Leaves out who may ask: `core/internal_call.py`.
"""

import asyncio
import logging
from typing import Any, Final

from aiohttp import web

log = logging.getLogger(__name__)
NAMELESS: Final = {"Server": "archway"}
"""Headers for every answer of an internal listener: whose software, not which version (RFC 9110 section 10.2.4)."""


class InternalServer(web.Server):
    """An aiohttp server for a handler without an application. A caller that leaves cancels what runs for it."""

    def __init__(self, handler: Any, **limits: Any) -> None:
        super().__init__(handler, handler_cancellation=True, **limits)
        self._limits = limits

    def __call__(self) -> web.RequestHandler:
        """The protocol of a new connection."""
        return InternalConnection(self, loop=asyncio.get_running_loop(), **self._limits)


class InternalSite(web.BaseSite):
    """An address on which an aiohttp application answers the other plane."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        super().__init__(runner)
        self._address = host, port

    @property
    def name(self) -> str:
        """The address as a URL."""
        return f"http://{self._address[0]}:{self._address[1]}"

    async def start(self) -> None:
        """Bind the address and accept connections. Raises OSError."""
        await super().start()
        server, loop = self._runner.server, asyncio.get_running_loop()
        assert server is not None
        self._server = await loop.create_server(
            lambda: InternalConnection(server, loop=loop, access_log=None),  # type: ignore[arg-type]  # none is written
            *self._address,
        )


class InternalConnection(web.RequestHandler):
    """One connection of an internal listener: what cannot be read gets a bare status, and ends the connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what aiohttp could not parse (400), or to a bug in the handler (500)."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; no other can follow")
        if status >= 500:
            log.error("an internal question failed inside", exc_info=exc)
        else:
            log.debug("an internal request could not be read", extra={"fault": type(exc).__name__})
        answer = web.Response(status=status, headers=NAMELESS)
        answer.force_close()
        return answer
