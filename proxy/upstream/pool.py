"""The pool of connections to upstreams: which connection a request gets, and whether it serves another one after.

A connection goes back only after a final answer that was complete, framed, keep-alive and with nothing behind it, and
that its caller found sound. It lies idle for at most 4 s; any byte or end that comes meanwhile closes it. There are
caps per upstream and in all; who finds the pool full waits as long as for a connection, first come, first served.

A request is never sent twice. What is left out: an egress proxy (`transport`), retries, and everything about MCP.
"""

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType

from aiohttp.abc import AbstractResolver

from core.addresses import AddressPolicy, PublicUrl
from core.egress import CONNECT_SECONDS
from core.egress_faults import UpstreamFault
from proxy.upstream.pool_connect import Connector
from proxy.upstream.pool_connection import PoolAnswer, PoolConnection
from proxy.upstream.pool_request import RequestWriter, Target, target_of

_MAX_TARGETS = 10_000
_SWEEP_SECONDS = 0.5
_CLOSE_SECONDS = 1.0
_TRIES = 2


class _Origin:
    """Connections to one scheme, host and port."""

    __slots__ = ("idle", "name", "places", "waiters")

    def __init__(self, name: str) -> None:
        self.name = name
        self.places = 0
        """Connections that are open or being opened."""
        self.idle: list[PoolConnection] = []
        self.waiters: deque[asyncio.Future[PoolConnection | None]] = deque()
        """Each gets a connection, or None: a place in which to open one."""


class UpstreamPool:
    """See the module. Make it inside a running loop; `close` it at the end.

    `connections` and `per_origin` cap what is open. `connect_seconds` bounds waiting for a place and opening in one.
    `name_seconds`: how long a name's addresses are remembered. `resolver` replaces the system's (tests).
    """

    def __init__(
        self,
        policy: AddressPolicy,
        tls: ssl.SSLContext,
        *,
        connections: int = 1000,
        per_origin: int = 200,
        connect_seconds: float = CONNECT_SECONDS,
        name_seconds: float = 10.0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._connector = Connector(policy, tls, name_seconds=name_seconds, resolver=resolver)
        self._limit, self._per_origin, self._connect_seconds = connections, per_origin, connect_seconds
        self._writer = RequestWriter()
        self._targets: dict[str, Target] = {}
        self._origins: dict[str, _Origin] = {}
        self._hungry: dict[_Origin, None] = {}
        """Origins with waiters, in the order in which they began to wait."""
        self._open: set[PoolConnection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False
        self._emptied = asyncio.Event()
        self.places = 0
        """Connections that are open or being opened."""
        self.opened = 0
        """Connections opened since the start."""
        self.failed = 0
        """Attempts to open one that failed, refused addresses among them."""

    def request(
        self,
        method: str,
        url: PublicUrl,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        deadline: float | None = None,
    ) -> AbstractAsyncContextManager[PoolAnswer]:
        """One request; inside the block stand the answer's status and headers, and its body can be read.

        `deadline`: seconds for the whole block, connecting and the caller's reading included; the task that enters
        the block must leave it. None: the caller keeps the time. Redirects come back unfollowed.
        Raises UpstreamFault, and ValueError for a header that must not be sent. The connection is used again only
        if the block ends without an exception, the answer was complete and is no redirect.
        """
        target = self._targets.get(url) or self._target(url)
        request = _Request(self, target, self._writer.write(method, target, headers, body))
        return request if deadline is None else _within(deadline, request)

    async def connection(self, target: Target) -> PoolConnection:
        """An open connection that nobody else uses. Raises UpstreamFault; nothing was sent then."""
        origin = self._origins.get(target.origin)
        if origin is not None and origin.idle:
            connection = self._idle(origin)
            if connection is not None:
                return connection
        try:
            async with asyncio.timeout(self._connect_seconds):
                return await self._waited_for(target)
        except TimeoutError:
            raise self._late(target) from None

    async def close(self) -> None:
        """Close every connection; requests under way and those that wait fail."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for origin in self._hungry:
            for waiter in origin.waiters:
                if not waiter.done():
                    waiter.set_exception(_closed())
        for connection in list(self._open):
            connection.close()
        await self._connector.close()
        if self.places:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), _CLOSE_SECONDS)

    # What connections call.

    def give_back(self, connection: PoolConnection, idle_seconds: float) -> None:
        """A sound connection whose request is over: to the first who waits for it, or to lie idle."""
        origin = connection.origin
        assert isinstance(origin, _Origin)
        connection.idle_until = time.monotonic() + idle_seconds
        if self._closed or (self._hungry and self._is_needed_elsewhere(origin)):
            connection.close()
        elif not self._serve(origin, connection):
            origin.idle.append(connection)
            if self._sweeping is None:
                self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def lost(self, connection: PoolConnection) -> None:
        """A connection is closed, or was never opened: its place is free."""
        if not connection.counted:
            return
        connection.counted = False
        origin = connection.origin
        assert isinstance(origin, _Origin)
        self._open.discard(connection)
        if connection in origin.idle:
            origin.idle.remove(connection)
        self._free(origin)

    # Places.

    async def _waited_for(self, target: Target) -> PoolConnection:
        died = 0
        while died < _TRIES:
            origin = self._origin(target)
            if self._has_room(origin):
                self._take(origin)
                connection = None
            else:
                connection = await self._turn(origin)
            if connection is None:
                connection = await self._opened(origin, target)
                if connection.is_open:
                    return connection
                died += 1  # the far side hung up at once; no byte was sent, so another try is harmless
            elif connection.is_clean():
                return connection
            else:
                connection.close()
        self.failed += 1
        detail = f"ConnectFailed: {target.host}:{target.port} [closed as soon as it was open]"
        raise UpstreamFault("refused", sent=False, detail=detail)

    def _late(self, target: Target) -> UpstreamFault:
        origin = self._origins.get(target.origin)
        if origin is not None and not self._has_room(origin):
            kind, what = "PoolFull", f"all {origin.places} connections are in use"
        else:
            self.failed += 1
            kind, what = "ConnectTimeout", "no connection"
        detail = f"{kind}: {what} to {target.origin} within {self._connect_seconds:g} s"
        return UpstreamFault("slow", sent=False, detail=detail)

    def _origin(self, target: Target) -> _Origin:
        if self._closed:
            raise _closed()
        origin = self._origins.get(target.origin)
        if origin is None:
            origin = self._origins[target.origin] = _Origin(target.origin)
        return origin

    async def _turn(self, origin: _Origin) -> PoolConnection | None:
        """Wait until a connection, or a place for one, is handed over."""
        waiter: asyncio.Future[PoolConnection | None] = asyncio.get_running_loop().create_future()
        origin.waiters.append(waiter)
        self._hungry[origin] = None
        if origin.places < self._per_origin:
            self._close_an_idle_one()
        try:
            return await waiter
        except BaseException:
            self._leave(origin, waiter)
            raise

    def _leave(self, origin: _Origin, waiter: "asyncio.Future[PoolConnection | None]") -> None:
        """A waiter gave up, perhaps just after it was served."""
        if waiter.cancelled() or waiter.exception() is not None:
            if waiter in origin.waiters:
                origin.waiters.remove(waiter)
            self._tidy(origin)
        elif (connection := waiter.result()) is not None:
            connection.close()
        else:
            self._free(origin)

    def _has_room(self, origin: _Origin) -> bool:
        return origin.places < self._per_origin and self.places < self._limit

    def _take(self, origin: _Origin) -> None:
        origin.places += 1
        self.places += 1

    def _free(self, origin: _Origin) -> None:
        origin.places -= 1
        self.places -= 1
        if self._closed and not self.places:
            self._emptied.set()
        for hungry in [one for one in self._hungry if self._has_room(one)]:
            if self._has_room(hungry):
                self._take(hungry)
                if not self._serve(hungry, None):
                    hungry.places -= 1
                    self.places -= 1
        self._tidy(origin)

    def _serve(self, origin: _Origin, what: PoolConnection | None) -> bool:
        """Hand a connection or a place to the first waiter; False when nobody waits."""
        while origin.waiters:
            waiter = origin.waiters.popleft()
            if not waiter.done():
                waiter.set_result(what)
                self._tidy(origin)
                return True
        self._tidy(origin)
        return False

    def _tidy(self, origin: _Origin) -> None:
        if origin.waiters:
            return
        self._hungry.pop(origin, None)
        if not origin.places and self._origins.get(origin.name) is origin:
            del self._origins[origin.name]

    def _is_needed_elsewhere(self, origin: _Origin) -> bool:
        """Whether the pool is full while another upstream waits that has none of its own to wait for."""
        if self.places < self._limit or origin.waiters:
            return False
        return any(one.places < self._per_origin for one in self._hungry)

    def _close_an_idle_one(self) -> None:
        idle = [one for origin in self._origins.values() for one in origin.idle[:1]]
        if idle:
            min(idle, key=lambda one: one.idle_until).close()

    # Connections.

    async def _opened(self, origin: _Origin, target: Target) -> PoolConnection:
        """A new connection, in a place that was taken for it. It may have died again already."""
        connection = PoolConnection(self, origin)
        self._open.add(connection)
        try:
            await self._connector.connect(target, connection)
        except BaseException as error:
            self.failed += isinstance(error, UpstreamFault)
            connection.close()
            self.lost(connection)
            raise
        self.opened += 1
        if self._closed:
            connection.close()
            raise _closed()
        return connection

    def _idle(self, origin: _Origin) -> PoolConnection | None:
        while origin.idle:
            connection = origin.idle.pop()
            if connection.is_clean():
                return connection
            connection.close()
        return None

    def _sweep(self) -> None:
        """Close what has lain idle for too long."""
        now = time.monotonic()
        idle = [connection for origin in self._origins.values() for connection in origin.idle]
        for connection in idle:
            if connection.idle_until <= now:
                connection.close()
        self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep) if idle else None

    def _target(self, url: PublicUrl) -> Target:
        target = target_of(url)
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()  # it costs microseconds to take one apart again
        self._targets[url] = target
        return target


class _Request:
    """One request on one connection, as a block."""

    __slots__ = ("_answer", "_data", "_pool", "_target")

    def __init__(self, pool: UpstreamPool, target: Target, data: bytes) -> None:
        self._pool, self._target, self._data = pool, target, data
        self._answer: PoolAnswer | None = None

    async def __aenter__(self) -> PoolAnswer:
        connection = await self._pool.connection(self._target)
        answer = self._answer = connection.send(self._data)
        try:
            await answer.head()
        except BaseException:
            answer.settle(sound=False)
            raise
        return answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._answer is not None
        self._answer.settle(sound=kind is None)


@asynccontextmanager
async def _within(deadline: float, request: _Request) -> AsyncIterator[PoolAnswer]:
    """The request with a clock of its own."""
    clock = asyncio.timeout(deadline)
    try:
        async with clock, request as answer:
            yield answer
    except TimeoutError:
        if not clock.expired():
            raise
        raise UpstreamFault("slow", sent=True, detail=f"no complete answer within {deadline:g} s") from None


def _closed() -> UpstreamFault:
    return UpstreamFault("refused", sent=False, detail="PoolClosed: Archway is ending")
