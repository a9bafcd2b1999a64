"""Places in the pool: how many connections may be open, in all and to one upstream, and who gets the next one.

A place is an open connection or one that is being opened. A request that finds none waits in the line of its upstream
and is handed a connection, or a place to open one in; nobody can overtake between the handing and the taking. Used by
`pool` alone. What is left out: opening, closing, and how long one may wait.
"""

import asyncio
from collections import deque
from collections.abc import Iterator

from proxy.upstream.pool.connection import PoolConnection

_Waiter = asyncio.Future[PoolConnection | None]
"""Gets a connection, or None: a place in which to open one."""


class Origin:
    """Connections to one scheme, host and port."""

    __slots__ = ("finishing", "idle", "name", "places", "waiters")

    def __init__(self, name: str) -> None:
        self.name = name
        self.places = 0
        self.idle: list[PoolConnection] = []
        self.finishing: dict[PoolConnection, None] = {}
        """Those on which a stream may end that its caller has left, in the order of their leaving."""
        self.waiters: deque[_Waiter] = deque()


class Way:
    """What many requests share: over whose connections they go, and their bytes up to the length of the body, or up
    to the value of a header that each has for itself.
    """

    __slots__ = ("data", "origin")

    def __init__(self, origin: Origin, data: bytes) -> None:
        self.origin, self.data = origin, data

    def saying(self, value: bytes) -> "Way":
        """Of a way up to the value of a header: the one of a request that has this value."""
        return Way(self.origin, b"%b%b\r\ncontent-length: " % (self.data, value))


class Places:
    """The places of one pool: at most `limit`, and `per_origin` of one upstream."""

    def __init__(self, limit: int, per_origin: int) -> None:
        self._limit, self._per_origin = limit, per_origin
        self._origins: dict[str, Origin] = {}
        self.hungry: dict[Origin, None] = {}
        """Origins with waiters, in the order in which they began to wait."""
        self.taken = 0

    def known(self, name: str) -> Origin | None:
        """The origin, if it has connections or waiters."""
        return self._origins.get(name)

    def origin(self, name: str) -> Origin:
        """The origin, made if need be; it is forgotten with its last connection."""
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = Origin(name)
        return origin

    def unused(self) -> Iterator[PoolConnection]:
        """All connections that serve nobody now: those that finish, and idle ones."""
        return (one for origin in self._origins.values() for one in (*origin.finishing, *origin.idle))

    def has_room(self, origin: Origin) -> bool:
        """Whether a connection to it may be opened now."""
        return origin.places < self._per_origin and self.taken < self._limit

    async def take(self, origin: Origin) -> PoolConnection | None:
        """A connection that was given back, or None: a place is yours. Waits as long as it takes."""
        if self.has_room(origin):
            self._count(origin, 1)
            return None
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        origin.waiters.append(waiter)
        self.hungry[origin] = None
        self._make_room(origin)
        try:
            return await waiter
        except BaseException:
            self._leave(origin, waiter)
            raise

    def give(self, origin: Origin, connection: PoolConnection) -> bool:
        """A connection is free: hand it to the first who waits for this upstream. False when nobody does."""
        return bool(origin.waiters) and self._serve(origin, connection)

    def free(self, origin: Origin) -> None:
        """A connection is closed: its place goes to the first who waits and may have it."""
        self._count(origin, -1)
        for hungry in list(self.hungry):
            if self.has_room(hungry) and self._serve(hungry, None):
                self._count(hungry, 1)
        self._tidy(origin)

    def needed(self, origin: Origin) -> bool:
        """Whether somebody waits who could have this upstream's connection, or its place."""
        return bool(origin.waiters) or self.needed_elsewhere(origin)

    def needed_elsewhere(self, origin: Origin) -> bool:
        """Whether the pool is full while another upstream waits that is not at its own limit."""
        if not self.hungry or self.taken < self._limit or origin.waiters:
            return False
        return any(one.places < self._per_origin for one in self.hungry)

    def refuse_all(self, error: Exception) -> None:
        """End the waiting of everybody."""
        for origin in list(self.hungry):
            for waiter in origin.waiters:
                if not waiter.done():
                    waiter.set_exception(error)

    def _serve(self, origin: Origin, what: PoolConnection | None) -> bool:
        served = False
        while origin.waiters and not served:
            waiter = origin.waiters.popleft()
            if not waiter.done():
                waiter.set_result(what)
                served = True
        if not origin.waiters:
            self.hungry.pop(origin, None)
        return served

    def _leave(self, origin: Origin, waiter: _Waiter) -> None:
        """A waiter gave up, perhaps just after it was served."""
        if waiter.cancelled() or waiter.exception() is not None:
            if waiter in origin.waiters:
                origin.waiters.remove(waiter)
            self._tidy(origin)
        elif (connection := waiter.result()) is not None:
            connection.close()
        else:
            self.free(origin)

    def _count(self, origin: Origin, change: int) -> None:
        origin.places += change
        self.taken += change

    def _tidy(self, origin: Origin) -> None:
        if origin.waiters:
            return
        self.hungry.pop(origin, None)
        if not origin.places and self._origins.get(origin.name) is origin:
            del self._origins[origin.name]

    def _make_room(self, origin: Origin) -> None:
        """Close the unused connection that would end first, among those that stand in this origin's way."""
        unused = self.unused() if origin.places < self._per_origin else iter(origin.finishing)
        oldest = min((one for one in unused if one.is_open), key=lambda one: one.idle_until, default=None)
        if oldest is not None:
            oldest.close()
