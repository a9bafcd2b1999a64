"""Listening sockets, bound once and handed down: connections wait in them while workers come and go.

Not SO_REUSEPORT: a socket that closes resets the connections that were waiting in it.
"""

import errno
import socket
import time

BACKLOG = 4096
_RETRY_S = 0.2


class CannotListen(Exception):
    """An address that cannot be bound; the sentence names the setting."""


def listen(setting: str, host: str, port: int, *, patience_s: float = 10.0) -> socket.socket:
    """A listening socket; port 0 takes any. Waits for a predecessor's dying workers to let go of the port."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise CannotListen(f"{setting}: cannot listen on {host}:{port}: {error.strerror}") from None
        time.sleep(_RETRY_S)


def address(bound: socket.socket) -> tuple[str, int]:
    """Host and port that a socket was given."""
    host, port = bound.getsockname()[:2]
    return str(host), int(port)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
