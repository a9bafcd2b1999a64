"""Where callers come in: takes connections from the listening socket while there is a place for them.

An event loop's own server either spins or cuts waiting callers off when descriptors run out. Here accepting pauses:
those who wait stay in the socket's queue, where another worker may take them, calls on open connections go on, and
the door is tried again ten times a second. `proxy/listeners.py` opens and closes it.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from core.tasks import Tasks

log = logging.getLogger(__name__)
AT_ONCE = 32
"""So many are taken before the loop looks at anything else; another worker may take the next."""
TRY_AGAIN_S = 0.1
HANDSHAKE_S = 10.0
ENTERS_WITHIN_S = 1.0
"""For callers who were taken just before the door closes."""
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PASSES = frozenset({errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.EPERM})
"""Errors of one connection, which has gone again."""


class Listener(Protocol):
    """What makes a protocol for each new connection, and says how many are open."""

    def __call__(self) -> asyncio.BaseProtocol:
        """The protocol of a new connection."""
        ...

    @property
    def open_connections(self) -> int:
        """How many are open now."""
        ...


class Door:
    """The accepting side of one listening socket. `places` is how many connections may be open at once; `paused` is
    called when accepting begins to pause."""

    def __init__(
        self,
        listening: socket.socket,
        listener: Listener,
        places: int,
        *,
        tls: ssl.SSLContext | None = None,
        paused: Callable[[], None] = lambda: None,
    ) -> None:
        self._socket, self._listener, self._places, self._tls = listening, listener, places, tls
        self._paused = paused
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks("door", quiet=(OSError, TimeoutError))
        self._entering: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._full = False

    def open(self) -> None:
        """Begin to take callers."""
        self._loop.add_reader(self._socket.fileno(), self._take)

    async def close(self) -> None:
        """Take no more callers; those taken already are let in, within `ENTERS_WITHIN_S`."""
        self._loop.remove_reader(self._socket.fileno())
        if self._again is not None:
            self._again.cancel()
        self._socket.close()
        if self._entering:
            await asyncio.wait(self._entering, timeout=ENTERS_WITHIN_S)
        await self._tasks.close(1.0)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            if self._listener.open_connections + len(self._entering) >= self._places:
                self._pause("every place is taken")
                return
            try:
                caller, _ = self._socket.accept()
            except BlockingIOError:
                self._go_on()
                return
            except OSError as error:
                if error.errno in _PASSES:
                    continue
                if error.errno not in _NO_ROOM:
                    raise
                self._pause(str(error.strerror))
                return
            caller.setblocking(False)
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._tasks.spawn("enter", self._enter(caller))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)
        self._go_on()

    async def _enter(self, caller: socket.socket) -> None:
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(self._listener, caller)
                return
            await self._loop.connect_accepted_socket(
                self._listener, caller, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S, ssl_shutdown_timeout=1.0
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            log.debug("a caller did not get in", extra={"why": type(error).__name__})
            caller.close()

    def _pause(self, why: str) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._again = self._loop.call_later(TRY_AGAIN_S, self._try_again)
        if not self._full:
            self._full = True
            self._paused()
            log.error("accepting pauses", extra={"why": why, "connections": self._listener.open_connections})

    def _try_again(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket.fileno(), self._take)

    def _go_on(self) -> None:
        if self._full:
            self._full = False
            log.info("accepting goes on", extra={"connections": self._listener.open_connections})
