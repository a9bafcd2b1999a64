"""The one HTTP client: everything that Archway asks of another machine over HTTP goes out here.

The planes' questions to each other go through an `Egress`, and calls of upstreams where an egress proxy stands
between (else they have `proxy.upstream.pool.pool`). It rules out what a shared client must never do: keep cookies,
follow redirects, obey environment proxies, inflate bodies, connect to an address that the policy forbids, use a
connection again after a fault. `aiohttp.ClientSession` is made in this file only.

What is left out: retries, breakers, and everything about MCP.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver

from core.egress.addresses import ANYWHERE, AddressPolicy, AddressRefused, PublicUrl, UrlRefused, check_url
from core.egress.connections import GuardedConnector, HeldResponse
from core.egress.faults import UpstreamFault, forbidden_fault, mapped_client_errors, mapped_faults
from core.egress.header_grammar import NAME, VALUE, WRITTEN_BY_CLIENTS
from core.egress.held import EgressRefused, Held, host_and_port
from core.egress.held_names import HeldResolver
from core.egress.name_lookup import JudgedResolver, SystemResolver

__all__ = [
    "AddressRefused",
    "Egress",
    "UpstreamFault",
    "mapped_faults",
    "never_reuse",
    "next_chunk",
    "read_capped",
    "tls_context",
]

# Up to five seconds aiohttp keeps a time-out exactly; above, it rounds up to a whole second.
CONNECT_SECONDS = 5.0
# aiohttp reads ahead at most twice this much of a body.
_READ_AHEAD_BYTES = 64 * 1024
_MAX_HEADER_LINE_BYTES = 16 * 1024
_MAX_HEADERS = 128

_HEADER_NAME = re.compile(NAME)
_HEADER_VALUE = re.compile(VALUE)


class Egress:
    """A pool of outbound connections under one address policy. Make it inside a running loop; close it at the end.

    `ca_bundle` is a PEM file whose certificates are trusted besides the system's. `proxy` is an http(s) URL that
    every request then goes through; it looks names up itself, so that here only what a URL shows is judged, and
    the proxy's own address is the operator's word. Environment variables are never read. `connections` and
    `per_host` cap the pool; a request that finds it full waits, at most `connect_seconds`. A name's addresses are
    remembered for `name_seconds`, and judged again at each connect. `inflated_by_readers`: codings of bodies that
    whoever reads them inflates; others are refused. `held`: to what the addresses of all that it asks are held
    besides. `resolver` replaces the system's (tests).
    Raises ValueError, naming the setting, when `ca_bundle` or `proxy` cannot be used.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        ca_bundle: str | None = None,
        proxy: str | None = None,
        connections: int = 1000,
        per_host: int = 200,
        connect_seconds: float = CONNECT_SECONDS,
        name_seconds: int = 10,
        inflated_by_readers: frozenset[str] = frozenset(),
        held: Held | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._policy, self._codings = policy, inflated_by_readers | {"", "identity"}
        self._proxy = None if proxy is None else _proxy_url(proxy)
        self._held = held
        self._connect_seconds = connect_seconds
        tls = tls_context(ca_bundle)
        # Every connection behind a proxy goes to the proxy: there, only what no setting opens stays shut.
        dialled = policy if proxy is None else ANYWHERE
        judged = JudgedResolver(resolver or SystemResolver(), dialled)
        self._resolver = judged if held is None or proxy is not None else HeldResolver(judged, held)
        self._connector = GuardedConnector(
            dialled,
            tls=tls,
            resolver=self._resolver,
            name_seconds=name_seconds,
            connections=connections,
            per_host=per_host,
        )
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            response_class=HeldResponse,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            proxy=self._proxy,
            headers={"User-Agent": "archway", "Accept-Encoding": "identity"},
            skip_auto_headers=("Accept", "Content-Type"),
            read_bufsize=_READ_AHEAD_BYTES,
            max_line_size=_MAX_HEADER_LINE_BYTES,
            max_field_size=_MAX_HEADER_LINE_BYTES,
            max_headers=_MAX_HEADERS,
        )
        # aiohttp would send a GET or DELETE again by itself after a broken connection; that is ours to decide.
        self._session._retry_connection = False

    @property
    def opened(self) -> int:
        """Connections that were made."""
        return self._connector.opened

    @property
    def failed(self) -> int:
        """Attempts at one that failed, were refused, or waited too long for a place."""
        return self._connector.failed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Requests under way fail."""
        await self._session.close()
        await self._resolver.close()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: PublicUrl,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        deadline: float,
        silence: float | None = None,
        host: str | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request. Inside the block stand the answer's status and headers; `read_capped` or `next_chunk` read on.

        `deadline`: seconds for the whole block, connecting and the caller's reading included; the task that enters
        the block must leave it. `silence`: seconds that may pass without a byte. `host`: what somebody asked for,
        where a request is passed on to a server of ours; else the URL's own. Redirects come back unfollowed.
        Raises UpstreamFault, and ValueError for a header that must not be sent. The connection is used again only
        if the block ends without an exception, the answer was read whole and is no redirect.
        """
        sendable = {**_sendable(headers or {}), **({} if host is None else {"Host": host})}
        times = aiohttp.ClientTimeout(
            connect=self._connect_seconds, sock_connect=self._connect_seconds, sock_read=silence
        )
        clock = asyncio.timeout(deadline)
        try:
            async with clock:
                with mapped_faults(self._connect_seconds):
                    response = await self._session.request(
                        method,
                        yarl.URL(self._judged(url), encoded=True),
                        headers=sendable,
                        data=body,
                        timeout=times,
                        allow_redirects=False,
                    )
                with _settled(cast("HeldResponse", response), self._codings):
                    yield response
        except TimeoutError:
            if not clock.expired():
                raise
            detail = f"no complete answer within {deadline:g} s"
            raise UpstreamFault("slow", sent=True, detail=detail, figure=deadline) from None

    def _judged(self, url: PublicUrl) -> PublicUrl:
        """Behind a proxy no socket of ours meets the far address, so what the URL shows is judged at each use."""
        if self._held is not None:
            try:
                self._held.reach(*host_and_port(url), at_a_proxy=self._proxy is not None)
            except EgressRefused as refused:
                raise forbidden_fault(refused) from None
        if self._proxy is None:
            return url
        try:
            return check_url(url, self._policy, purpose="url")
        except UrlRefused as refused:
            raise UpstreamFault("forbidden_address", sent=False, detail=str(refused)) from None


@contextmanager
def _settled(response: HeldResponse, codings: frozenset[str]) -> Iterator[None]:
    """Ends the response and decides about its connection, whatever happens in between."""
    sound = False
    try:
        with mapped_client_errors():
            _refuse_unusable(response, codings)
            yield
        sound = True
    finally:
        response.settle(sound=sound)


def _refuse_unusable(response: aiohttp.ClientResponse, codings: frozenset[str]) -> None:
    if response.status < 200:
        raise UpstreamFault("broken", sent=True, detail=f"status {response.status} is not a final answer")
    encodings = ",".join(response.headers.getall("Content-Encoding", ())).strip().lower()
    if encodings not in codings:
        # We asked for identity. Inflating what somebody else packed is how a kilobyte becomes a gigabyte.
        raise UpstreamFault(
            "broken", sent=True, detail=f"the body is compressed as {encodings}, which was not asked for"
        )


def never_reuse(response: aiohttp.ClientResponse) -> None:
    """Close this answer's connection at the end of its block, for a caller that found it wrong but does not raise."""
    cast("HeldResponse", response).spoilt = True


async def next_chunk(response: aiohttp.ClientResponse) -> bytes:
    """The next bytes of the body as they come, b"" at its end. Raises UpstreamFault."""
    with mapped_faults():
        return await response.content.readany()


async def read_capped(response: aiohttp.ClientResponse, cap_bytes: int) -> bytes:
    """The whole body if it has at most `cap_bytes`, else UpstreamFault("too_large"), before more is read."""
    if (response.content_length or 0) > cap_bytes:
        raise _too_large(cap_bytes)
    body = bytearray()
    while chunk := await next_chunk(response):
        if len(body) + len(chunk) > cap_bytes:
            raise _too_large(cap_bytes)
        body += chunk
    return bytes(body)


def _too_large(cap_bytes: int) -> UpstreamFault:
    detail = f"the body is larger than {cap_bytes} bytes"
    return UpstreamFault("too_large", sent=True, detail=detail, figure=cap_bytes)


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, if each is visible ASCII (aiohttp would drop other bytes in silence) and none is ours to write."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in WRITTEN_BY_CLIENTS:
            raise ValueError(f"header {name!r} must not be sent: not a header name, or written by the client itself")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"header {name!r} has a character outside visible ASCII; encode its value")
    return headers


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """How we meet a TLS server: verified against the system's roots and `ca_bundle`, HTTP/1.1 only.

    Its users must not change it. Raises ValueError, naming the setting, when `ca_bundle` cannot be used.
    """
    if ca_bundle is None:
        return _system_roots_context()
    context = _http_1_1()
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except (OSError, ValueError) as error:
        raise ValueError(f"ARCHWAY_CA_BUNDLE: {ca_bundle} cannot be used as PEM certificates ({error})") from None
    return context


@cache
def _system_roots_context() -> ssl.SSLContext:
    """One for all clients of a process, so nobody may change it: to read the roots takes 25 ms, and a megabyte."""
    return _http_1_1()


def _http_1_1() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _proxy_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # The text may hold a password, so it is not repeated.
        raise ValueError("HTTPS_PROXY is not a proxy's address; write it like http://HOST:PORT")
    return text
