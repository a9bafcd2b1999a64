"""The pool of connections to upstreams: which connection a request gets, and whether it serves another one after.

A connection goes back only after a final answer that was complete, framed, keep-alive and with nothing behind it, and
that its caller found sound. Where a caller left a stream with its answer, that may become complete for a second at
most, unless somebody waits for the place. An idle connection lies for at most 4 s; any byte or end that comes
meanwhile closes it. There are caps per upstream and in all; a request that finds the pool full waits, as long as for
opening a connection, first come, first served.

A request is never sent twice. What is left out: an egress proxy (`transport`), retries, and everything about MCP.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from aiohttp.abc import AbstractResolver

from core.egress.addresses import AddressPolicy, PublicUrl
from core.egress.client import CONNECT_SECONDS
from core.egress.faults import Kind, UpstreamFault
from core.egress.own_servers import OWN_SERVERS
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.connect import Connector
from proxy.upstream.pool.connection import PoolConnection, Taker
from proxy.upstream.pool.head import KnownHeads
from proxy.upstream.pool.one_request import PoolRequest, within
from proxy.upstream.pool.places import Origin, Places, Way
from proxy.upstream.pool.request import PreparedHead, RequestWriter, Target, name_of, target_of

_MAX_TARGETS = 10_000
_SWEEP_SECONDS = 0.5
_FINISH_SECONDS = 0.5
"""How long a stream that was left may take to end, and on to the next sweep: it is milliseconds, or never."""
_CLOSE_SECONDS = 1.0
_TRIES = 2


class UpstreamPool:
    """A pool of connections to upstreams. Make it inside a running loop; `close` it at the end.

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
        self._to_own = Connector(OWN_SERVERS, tls, name_seconds=name_seconds, resolver=resolver)
        self._places, self._connect_seconds = Places(connections, per_origin), connect_seconds
        self._writer = RequestWriter()
        self._targets: dict[str, Target] = {}
        self._heads = KnownHeads()
        self._open: set[PoolConnection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False
        self._emptied = asyncio.Event()
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
        target = self._target(url)
        request = PoolRequest(self, target, self._writer.write(method, target, headers, body))
        return request if deadline is None else within(deadline, request)

    def prepare(self, method: str, url: PublicUrl, headers: Mapping[str, str]) -> PreparedHead:
        """What many requests begin with; see `Transport.prepare`."""
        return self._writer.prepare(method, self._target(url), headers)

    def send_now(self, head: PreparedHead, more: Mapping[str, str], body: bytes) -> PoolAnswer | None:
        """Send a request over an idle connection, if there is one; see `Transport.send_now`."""
        origin = self._places.known(head.target.origin)
        if origin is None or not origin.idle:
            return None
        data = self._writer.finish(head, more, body)
        connection = self._idle(origin)
        return None if connection is None else connection.send(data)

    def way(self, head: PreparedHead, more: Mapping[str, str], says: str = "") -> Way | None:
        """What calls with this head have in common; None where no connection leads there. See `Transport.way`."""
        origin = self._places.known(head.target.origin)
        return None if origin is None else Way(origin, self._writer.up_to_length(head, more, says))

    def send_on(self, way: Way, body: bytes, taker: Taker) -> PoolConnection | None:
        """Send a request over an idle connection, whose answer `taker` takes if it can; see `Transport.send_on`."""
        idle = way.origin.idle
        while idle:
            connection = idle.pop()
            if connection.is_clean():
                connection.send_for(taker, b"%b%d\r\n\r\n%b" % (way.data, len(body), body))
                return connection
            connection.close()
        return None

    @property
    def places(self) -> int:
        """Connections that are open or being opened."""
        return self._places.taken

    async def connection(self, target: Target) -> PoolConnection:
        """An open connection that nobody else uses. Raises UpstreamFault; nothing was sent then."""
        origin = self._places.known(target.origin)
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
        self._places.refuse_all(_closed())
        for connection in list(self._open):
            connection.close()
        await self._connector.close()
        await self._to_own.close()
        if self.places:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), _CLOSE_SECONDS)

    # What connections call.

    def give_back(self, connection: PoolConnection, idle_seconds: float) -> None:
        """Hand a sound connection whose request is over to the first who waits for it, or let it lie idle."""
        origin = connection.origin
        assert isinstance(origin, Origin)
        if origin.finishing:
            origin.finishing.pop(connection, None)
        connection.idle_until = time.monotonic() + idle_seconds
        if self._closed or (self._places.hungry and self._places.needed_elsewhere(origin)):
            connection.close()
        elif not (origin.waiters and self._places.give(origin, connection)):
            origin.idle.append(connection)
            if self._sweeping is None:
                self._sweep_later()

    def finishing(self, connection: PoolConnection) -> None:
        """Keep a connection for a short while in which its answer may still come to its end."""
        origin = connection.origin
        assert isinstance(origin, Origin)
        if self._closed or self._places.needed(origin):
            connection.close()
            return
        connection.idle_until = time.monotonic() + _FINISH_SECONDS
        origin.finishing[connection] = None
        self._sweep_later()

    def lost(self, connection: PoolConnection) -> None:
        """Free the place of a connection that is closed or was never opened."""
        if not connection.counted:
            return
        connection.counted = False
        origin = connection.origin
        assert isinstance(origin, Origin)
        self._open.discard(connection)
        if connection in origin.idle:
            origin.idle.remove(connection)
        origin.finishing.pop(connection, None)
        self._places.free(origin)
        if self._closed and not self.places:
            self._emptied.set()

    # Connections.

    async def _waited_for(self, target: Target) -> PoolConnection:
        died = 0
        while died < _TRIES:
            if self._closed:
                raise _closed()
            origin = self._places.origin(target.origin)
            connection = await self._places.take(origin)
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
        raise UpstreamFault("refused", sent=False, kind="unconnected", detail=detail)

    def _late(self, target: Target) -> UpstreamFault:
        origin = self._places.known(target.origin)
        kind: Kind = "unanswered"
        if origin is not None and not self._places.has_room(origin):
            kind, word, what = "pool_full", "PoolFull", f"all {origin.places} connections are in use"
        else:
            self.failed += 1
            word, what = "ConnectTimeout", "no connection"
        detail = f"{word}: {what} to {target.origin} within {self._connect_seconds:g} s"
        return UpstreamFault("slow", sent=False, kind=kind, detail=detail, figure=self._connect_seconds)

    async def _opened(self, origin: Origin, target: Target) -> PoolConnection:
        """A new connection, in a place that was taken for it. It may have died again already."""
        connection = PoolConnection(self, origin, self._heads)
        self._open.add(connection)
        try:
            await (self._to_own if target.own else self._connector).connect(target, connection)
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

    def _idle(self, origin: Origin) -> PoolConnection | None:
        while origin.idle:
            connection = origin.idle.pop()
            if connection.is_clean():
                return connection
            connection.close()
        return None

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has served nobody for too long."""
        self._sweeping = None
        now = time.monotonic()
        unused = list(self._places.unused())
        for connection in unused:
            if connection.idle_until <= now:
                connection.close()
        if unused:
            self._sweep_later()

    def _target(self, url: PublicUrl) -> Target:
        name = name_of(url)
        target = self._targets.get(name)
        if target is None:
            target = target_of(url)
            if len(self._targets) >= _MAX_TARGETS:
                self._targets.clear()  # it costs microseconds to take one apart again
            self._targets[name] = target
        return target


def _closed() -> UpstreamFault:
    return UpstreamFault("refused", sent=False, detail="PoolClosed: Archway is ending")
