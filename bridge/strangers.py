"""Connections that have shown no token yet: so many and no more, or others could hold all that a bridge may have.

Servers that run as processes share a loopback, and not every cluster keeps to its network policies. The oldest of
these connections ends for one more. A caller who has the token shows it at once, and is no stranger any more.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Final

from aiohttp import web

from core.internal_server import InternalConnection, InternalServer

MOST: Final = 128


class Strangers:
    """Those that there are, the oldest first."""

    def __init__(self) -> None:
        self._known: OrderedDict[web.RequestHandler, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, one: web.RequestHandler) -> None:
        """A connection was made."""
        self._known[one] = None
        if len(self._known) > MOST:
            oldest, _ = self._known.popitem(last=False)
            if oldest.transport is not None:
                oldest.transport.abort()

    def forget(self, one: web.RequestHandler | None) -> None:
        """It has shown the token, or is gone."""
        if one is not None:
            self._known.pop(one, None)


class BridgeServer(InternalServer):
    """A bridge's aiohttp server."""

    def __init__(self, handler: Any, strangers: Strangers, **limits: Any) -> None:
        super().__init__(handler, **limits)
        self._strangers = strangers

    def __call__(self) -> web.RequestHandler:
        """The protocol of a new connection."""
        return _Connection(self, self._strangers, loop=asyncio.get_running_loop(), **self._limits)


class _Connection(InternalConnection):
    __slots__ = ("_strangers",)

    def __init__(self, server: web.Server, strangers: Strangers, **limits: Any) -> None:
        super().__init__(server, **limits)
        self._strangers = strangers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._strangers.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._strangers.forget(self)
        super().connection_lost(exc)
