"""A worker's two listeners: opened on inherited sockets or their own, and drained at the end.

The public one takes callers through a `Door`; the internal one answers control's questions. How a worker leaves is
told in `proxy/listening/drain.py`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.internal_server import InternalServer
from core.settings import host_port
from core.tasks import Tasks
from proxy.deps import Deps
from proxy.edge.lanes import public_listener
from proxy.edge.tls import ServerTls
from proxy.internal import InternalListener
from proxy.listening.descriptors import places
from proxy.listening.door import Door
from proxy.listening.drain import emptied
from proxy.listening.readiness import tell_ready
from proxy.telemetry.metrics import ACCEPT_PAUSES

CUT_S = 0.15
"""For what is left at the end of the grace; with the records after it, a worker is gone within a second."""


@asynccontextmanager
async def listening(
    deps: Deps, internal_listener: InternalListener, tls: ServerTls | None = None
) -> AsyncIterator[tuple[int, int]]:
    """Both listeners open; their ports. Leaving takes as long as callers need, at most the grace."""
    settings = deps.settings
    public = public_listener(deps, **_server_limits())
    internal = InternalServer(internal_listener, **_server_limits())
    public_socket = _socket(settings.proxy_fd, "proxy_listen", settings.proxy_listen)
    internal_socket = _socket(settings.proxy_internal_fd, "proxy_internal_listen", settings.proxy_internal_listen)
    ports = public_socket.getsockname()[1], internal_socket.getsockname()[1]
    server = await asyncio.get_running_loop().create_server(internal, sock=internal_socket)
    door = Door(
        public_socket,
        public,
        places(),
        tls=tls.context if tls else None,
        paused=lambda: deps.slots.add(ACCEPT_PAUSES),
    )
    door.open()
    tasks = Tasks("listeners")
    _ = tasks.spawn("ready", tell_ready(settings.ready_fd, deps.follows_changes))
    if tls:
        _ = tasks.spawn("tls", tls.keep())
    try:
        yield ports
    finally:
        deps.draining = True
        leaves_at = asyncio.get_running_loop().time() + settings.grace_seconds
        await tasks.close()
        await door.close()
        server.close()
        await emptied(public, leaves_at)
        await asyncio.gather(public.shutdown(CUT_S), internal.shutdown(CUT_S))


def _server_limits() -> dict[str, Any]:
    return {
        "access_log": None,
        "keepalive_timeout": 75.0,
        "max_line_size": 8190,
        "max_field_size": 8190,
        "max_headers": 100,
        "auto_decompress": False,
        "lingering_time": 1.0,
    }


def _socket(descriptor: int, name: str, address: str) -> socket.socket:
    if descriptor >= 0:
        return socket.socket(fileno=descriptor)
    host, port = host_port(name, address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(4096)
    bound.setblocking(False)
    return bound
