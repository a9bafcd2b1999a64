"""The socket that the admin API is served on, and what is said to requests that are not HTTP.

Called by `control/main.py` with the application of `control/admin/app.py`. aiohttp answers and logs an unreadable
request with the bytes that it could not read, a bearer among them perhaps; here both say only that it was unreadable
(the rest of the application never sees such a request, so this is the one place that can).
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from control.http.answering import SECURITY_HEADERS
from control.http.problems import Problem
from core.identifiers import new_id

log = logging.getLogger(__name__)
KEEP_ALIVE_S: Final = 30.0
SHUTDOWN_S: Final = 5.0
LINGER_S: Final = 1.0
"""How long the rest of a body is still taken from a caller who was refused before its end."""
_BACKLOG: Final = 128
_UNREADABLE: Final = (
    "The request could not be read as HTTP. Its first line and each header may have at most 8190 bytes."
)


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve on `host:port` (0: any free port); the runner, to be cleaned up, and the port. Raises OSError."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await _Site(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


class _Site(web.BaseSite):
    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        super().__init__(runner, backlog=_BACKLOG)
        self._address = host, port

    @property
    def name(self) -> str:
        """The listener's address as a URL."""
        host, port = self._address
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Bind the address and accept connections."""
        await super().start()
        server, loop = self._runner.server, asyncio.get_running_loop()
        assert server is not None
        self._server = await loop.create_server(
            lambda: _Connection(
                server,
                loop=loop,
                access_log=None,  # type: ignore[arg-type]  # how aiohttp is told to write none
                keepalive_timeout=KEEP_ALIVE_S,
                lingering_time=LINGER_S,
            ),
            *self._address,
            backlog=_BACKLOG,
        )


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.Response:
        """Answer what aiohttp could not read or hand on; never in aiohttp's words, which quote the request."""
        request_id = new_id()
        bug = exc if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        log.log(
            logging.ERROR if bug else logging.INFO,
            "unreadable request",
            exc_info=bug,
            extra={
                "status": status,
                "fault": type(exc).__name__,
                "address": request.remote,
                "request_id": request_id,
            },
        )
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; nothing can be added")
        problem = Problem(status, _UNREADABLE)
        answer = web.Response(
            status=status,
            body=orjson.dumps(problem.document(request_id)),
            content_type="application/problem+json",
            headers=SECURITY_HEADERS | {"X-Request-Id": request_id},
        )
        answer.force_close()
        return answer
