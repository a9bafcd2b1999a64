"""How bytes get to an upstream and back: the interface, and which of the two that have it serves this worker.

Our own pool (`pool`) serves all upstreams that are reached directly. Where an egress proxy stands between
(HTTPS_PROXY), or the whole worker is told to use aiohttp, aiohttp's client does (`core.egress.client`), behind the
same interface.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver

from core.egress.addresses import AddressPolicy, PublicUrl, parse_networks
from core.egress.client import Egress, never_reuse, next_chunk, read_capped, tls_context
from core.egress.held import Held, HeldUrl
from core.egress.own_servers import OWN_SERVERS, RuntimeUrl
from proxy.settings import ProxySettings
from proxy.upstream.held_clients import HeldClients
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.connection import PoolConnection, Taker
from proxy.upstream.pool.head import INFLATED
from proxy.upstream.pool.places import Way
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.pool.request import PreparedHead

_A_DAY = 86_400.0


class UpstreamAnswer(Protocol):
    """An upstream's answer while its request is open."""

    @property
    def status(self) -> int:
        """The final status, at least 200."""

    def header(self, name: str) -> str | None:
        """The first value of a header; `name` is lower case."""

    async def next_chunk(self) -> bytes:
        """The next bytes of the body as they come, b"" at its end. Raises UpstreamFault."""

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The whole body if it has at most `cap_bytes`, else UpstreamFault("too_large")."""

    def never_reuse(self) -> None:
        """Close the connection at the end of the request, for a caller that found something wrong."""

    def may_be_left(self, *, all_read: bool) -> None:
        """Say whether a caller that ends the request now has all content, as with the answer in an event stream.

        A transport that can lets the body's end come for a short while, and uses the connection again. Where it
        cannot, where more content comes, and where the answer is no, the connection is closed.
        """


class Requests(Protocol):
    """What takes requests to an upstream one by one."""

    def request(
        self,
        method: str,
        url: PublicUrl,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        deadline: float | None = None,
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """One request as a block, at most `deadline` seconds long; None: the caller keeps the time.

        Header names are lower case. Raises UpstreamFault, and ValueError for a header that must not be sent. The
        connection is used again only if the block ends without an exception and the answer was complete and sound.
        """


class Transport(Requests, Protocol):
    """What sends requests to upstreams: our own pool, or aiohttp's client."""

    @property
    def opened(self) -> int:
        """Connections opened since the start."""

    @property
    def failed(self) -> int:
        """Attempts to open one that failed."""

    def prepare(self, method: str, url: PublicUrl, headers: Mapping[str, str]) -> PreparedHead | None:
        """What many requests begin with; None from a transport that prepares nothing. Raises as `request`."""

    def send_now(self, head: PreparedHead, more: Mapping[str, str], body: bytes) -> PoolAnswer | None:
        """Send a request over a connection that is at hand; None, and nothing sent, where none is.

        `more`: headers that are not in the head. The answer is the caller's to `settle`. Raises ValueError for a
        header that must not be sent.
        """

    def way(self, head: PreparedHead, more: Mapping[str, str], says: str = "") -> Way | None:
        """What requests with this head and these further headers have in common, and over which connections they go.
        `says`: a header that each has with a value of its own (`Way.saying`).

        None from a transport that prepares nothing, and where no connection leads there. Raises ValueError for a
        header that must not be sent.
        """

    def send_on(self, way: Way, body: bytes, taker: Taker) -> PoolConnection | None:
        """Send a request over a connection that is at hand; None, and nothing sent, where none is.

        The taker takes the usual answer itself; else it has the answer read, which it then has to `settle`.
        """

    async def close(self) -> None:
        """Close every connection; requests under way fail."""


def open_transport(
    policy: AddressPolicy,
    *,
    ca_bundle: str | None = None,
    proxy: str | None = None,
    pool: bool = True,
    resolver: AbstractResolver | None = None,
) -> Transport:
    """The transport of a worker; arguments as for `Egress`, `pool` False for aiohttp's client in any case.

    Call it inside a running loop. Raises ValueError, naming the setting, for a `ca_bundle` or `proxy` of no use.
    """
    if proxy is None and pool:
        return UpstreamPool(policy, tls_context(ca_bundle), resolver=resolver)

    def client(held: Held | None = None) -> Egress:
        return Egress(
            policy, ca_bundle=ca_bundle, proxy=proxy, inflated_by_readers=INFLATED, held=held, resolver=resolver
        )

    usual = client()
    to_own = Egress(OWN_SERVERS, ca_bundle=ca_bundle, inflated_by_readers=INFLATED)
    return AiohttpTransport(usual, to_own, HeldClients(client))


def open_to_upstreams(settings: ProxySettings) -> Transport:
    """The transport that a worker's settings ask for. Raises as `open_transport`."""
    return open_transport(
        AddressPolicy(parse_networks(settings.upstream_networks)),
        ca_bundle=settings.ca_bundle or None,
        proxy=settings.https_proxy or None,
        pool=settings.lane != "aiohttp",
    )


class AiohttpTransport:
    """aiohttp's client behind the interface `Transport`. `to_own`: to servers that Archway runs, past any proxy.
    `held`: to those whose address is held to a policy.
    """

    def __init__(self, egress: Egress, to_own: Egress, held: HeldClients) -> None:
        self._egress, self._to_own, self._held = egress, to_own, held

    @property
    def opened(self) -> int:
        """Connections opened since the start."""
        return self._egress.opened + self._to_own.opened + self._held.opened

    @property
    def failed(self) -> int:
        """Attempts to open one that failed."""
        return self._egress.failed + self._to_own.failed + self._held.failed

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: PublicUrl,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        deadline: float | None = None,
    ) -> AsyncIterator["AiohttpAnswer"]:
        """See `Transport.request`."""
        async with AsyncExitStack() as stack:
            if isinstance(url, HeldUrl):
                egress = await stack.enter_async_context(self._held.client(url.held))
            else:
                egress = self._to_own if isinstance(url, RuntimeUrl) else self._egress
            within = deadline or _A_DAY
            response = await stack.enter_async_context(egress.request(method, url, headers, body, deadline=within))
            yield AiohttpAnswer(response)

    def prepare(self, method: str, url: PublicUrl, headers: Mapping[str, str]) -> PreparedHead | None:
        """Nothing: aiohttp writes requests itself."""
        return None

    def send_now(self, head: PreparedHead, more: Mapping[str, str], body: bytes) -> PoolAnswer | None:
        """Nothing, as above."""
        return None

    def way(self, head: PreparedHead, more: Mapping[str, str], says: str = "") -> Way | None:
        """None, as above."""
        return None

    def send_on(self, way: Way, body: bytes, taker: Taker) -> PoolConnection | None:
        """Nothing, as above."""
        return None

    async def close(self) -> None:
        """Close every connection."""
        await self._egress.close()
        await self._to_own.close()
        await self._held.close()


class AiohttpAnswer:
    """aiohttp's response behind the interface `UpstreamAnswer`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self._response.headers.get(name)

    async def next_chunk(self) -> bytes:
        """The next bytes of the body."""
        return await next_chunk(self._response)

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The whole body."""
        return await read_capped(self._response, cap_bytes)

    def never_reuse(self) -> None:
        """Close the connection at the end."""
        never_reuse(self._response)

    def may_be_left(self, *, all_read: bool) -> None:
        """aiohttp's client reads nothing for nobody: close the connection at the end."""
        never_reuse(self._response)
