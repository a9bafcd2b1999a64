"""The program: `python -m bridge --port N -- COMMAND ARG...`; `--help` says the rest.

Ends with status 0 after SIGTERM or SIGINT, with 1 where its port is taken, with 2 where it was told nonsense.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from functools import partial

import uvloop
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from bridge.kept_server import KeptServer
from bridge.listener import Listener
from bridge.options import Options, from_this_process
from bridge.orphans import take_in_orphans
from bridge.printed import Printed
from bridge.strangers import BridgeServer, Strangers
from core.logs import json_logging
from core.redaction import Redaction
from core.tasks import Tasks

log = logging.getLogger("bridge")


def main() -> int:
    """Run until a signal asks for the end."""
    options = from_this_process(sys.argv[1:])
    with json_logging():
        take_in_orphans()
        try:
            uvloop.run(serve(options))
        except OSError as error:
            log.error("the bridge cannot listen", extra={"port": options.port, "why": str(error)})
            return 1
    return 0


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the address cannot be had."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    server = KeptServer(options, Printed(Redaction(options.secrets)))

    # Not at once: a process that has ended already may be one that is being started. uvloop takes no handler for this
    # signal, which it keeps for processes that it starts; it starts none here.
    signal.signal(signal.SIGCHLD, lambda *_: loop.call_soon_threadsafe(server.reap))
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, ending.set)
    strangers = Strangers()
    http = BridgeServer(Listener(options, server, strangers).handle, strangers, access_log=None)
    http.request_factory = _with_bodies_up_to(options.max_body, loop)
    listening = await loop.create_server(http, options.host, options.port)
    log.info("the bridge listens", extra={"host": options.host, "port": listening.sockets[0].getsockname()[1]})
    tasks = Tasks("bridge")
    keeping = tasks.spawn("keep", server.keep())
    try:
        _ = await asyncio.wait({keeping, tasks.spawn("end", ending.wait())}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await server.stop(options.drain_s)
        listening.close()
        await http.shutdown(1.0)
        await tasks.close()


def _with_bodies_up_to(most: int, loop: asyncio.AbstractEventLoop) -> Callable[..., web.BaseRequest]:
    """What aiohttp makes requests with, by itself of bodies up to 1 MiB."""
    return partial(_request, loop, most)


def _request(
    loop: asyncio.AbstractEventLoop,
    most: int,
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)


if __name__ == "__main__":
    sys.exit(main())
