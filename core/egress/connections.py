"""The connections under `core.egress.client`: judged at the socket, handed out clean, held to the request's end.

`core.egress.client` uses this, and `judged_sockets` guards the proxy's own pool as well. What is left out: requests,
deadlines, and what an exception means.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from typing import cast
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest, ConnectionKey
from aiohttp.connector import AddrInfoType, Connection
from aiohttp.tracing import Trace

from core.egress.addresses import AddressPolicy, AddressRefused

# An idle connection is closed before common servers (5 s and up) would, so that no call meets a closing one.
_IDLE_SECONDS = 4.0
_MAX_NAMES = 1000
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})


def judged_sockets(policy: AddressPolicy) -> Callable[[AddrInfoType], socket.socket]:
    """A socket factory that is shown each address just before it is connected, and raises AddressRefused.

    This is the guard that nothing walks around: IP literals never meet a resolver, and a name's answer may have
    changed since it was looked at.
    """

    def judged_socket(candidate: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = candidate
        reason = policy.why_not(str(address[0]))
        if reason is not None:
            raise AddressRefused(reason)
        return socket.socket(family, kind, protocol)

    return judged_socket


class HeldConnection(Connection):
    """A connection that stays with its request until `settle`, even when the answer is complete before.

    aiohttp puts a connection back into its pool the moment the last byte of the answer is parsed, so an answer
    found wrong afterwards could not keep the connection from the next caller. It sees this object instead.
    """

    def __init__(self, connector: "GuardedConnector", key: ConnectionKey, inner: Connection) -> None:
        protocol = inner.protocol
        assert protocol is not None, "aiohttp hands out open connections"
        super().__init__(connector, key, protocol, asyncio.get_running_loop())
        inner._protocol = None  # what it stood for is ours now; it must neither give it back nor warn
        self._answer_complete = False

    def release(self) -> None:
        """Called by aiohttp: the request is written and the answer complete."""
        self._answer_complete = True

    def settle(self, *, reusable: bool) -> None:
        """Back into the pool if the answer was complete and is `reusable`, closed otherwise."""
        if reusable and self._answer_complete:
            super().release()
        else:
            self.close()


class HeldResponse(aiohttp.ClientResponse):
    """A response that knows its connection to the end of the `request` block."""

    held: HeldConnection
    spoilt = False

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Called by aiohttp with what `GuardedConnector.connect` returned."""
        self.held = cast("HeldConnection", connection)
        return await super().start(connection)

    def settle(self, *, sound: bool) -> None:
        """End of the request; `sound` is False after any fault. A redirect is one: nobody of ours expects it."""
        self.close()
        self.held.settle(reusable=sound and not self.spoilt and self.status not in _REDIRECTS)


class GuardedConnector(aiohttp.TCPConnector):
    """aiohttp's pool, which here judges each address and hands out only clean connections."""

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        tls: ssl.SSLContext,
        resolver: AbstractResolver,
        name_seconds: int,
        connections: int,
        per_host: int,
    ) -> None:
        super().__init__(
            ssl=tls,
            resolver=resolver,
            socket_factory=judged_sockets(policy),
            limit=connections,
            limit_per_host=per_host,
            keepalive_timeout=_IDLE_SECONDS,
            ttl_dns_cache=name_seconds,
            dns_cache_max_size=_MAX_NAMES,
        )
        # Connections that have carried a request. A fresh one has nothing of anybody's to be soiled with.
        self._used: WeakSet[ResponseHandler] = WeakSet()
        self.opened = self.failed = 0

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """Called by aiohttp for each request: a connection from the pool, or a new one."""
        while True:
            connection = HeldConnection(self, req.connection_key, await self._connected(req, traces, timeout))
            protocol = connection.protocol
            if protocol is None or protocol not in self._used or _is_clean(protocol):
                break
            # What came while it lay idle would be taken as the answer to this caller.
            connection.close()
        if protocol is not None and protocol not in self._used:
            self.opened += 1
            self._used.add(protocol)
        return connection

    async def _connected(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        try:
            return await super().connect(req, traces, timeout)
        except (OSError, aiohttp.ClientError):  # a time-out is an OSError
            self.failed += 1
            raise


def _is_clean(protocol: ResponseHandler) -> bool:
    """Whether an idle connection is open and silent: no message, no loose byte, no EOF, no unread byte."""
    transport = protocol.transport
    if protocol.should_close or transport is None or transport.is_closing():
        return False
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not waiting.poll(0)
