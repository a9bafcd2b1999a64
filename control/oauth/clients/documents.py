"""Fetches clients' own documents and key sets, through the guarded outbound client, and keeps them for a while.

Whoever opens the authorize endpoint names the URL, so everything is bounded: 2.5 seconds, 64 KiB, no redirect, one
fetch for all who wait for the same, a few at once, a number a minute for each host. A client that people use already
is counted by itself, so that nobody keeps it out by naming other documents, of its host or of many. What failed is
not kept; what was good is used for up to a day while its host is away. Called by `control/oauth/named_client.py` and
where a client proves itself.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from control.oauth.clients import cimd
from control.oauth.errors import NotSentBack
from control.registry.oauth_client import ClientFields
from core.egress.addresses import ANYWHERE, PublicUrl, UrlRefused, check_url
from core.egress.client import Egress, UpstreamFault, read_capped

log = logging.getLogger(__name__)
WITHIN_S: Final = 2.5
MOST_BYTES: Final = 64 << 10
MOST_KEPT: Final = 1_000
MOST_AT_ONCE: Final = 50
A_MINUTE_OF_ONE_HOST: Final = 30
MOST_HOSTS: Final = 1_000
_STALE_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    body: bytes
    fresh_until: float
    good_until: float


class ClientDocuments:
    """Documents of clients by their URL, fetched when they are needed."""

    def __init__(self, egress: Egress, clock: Callable[[], float] = time.monotonic) -> None:
        self._egress, self._clock = egress, clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._running: dict[str, asyncio.Future[bytes]] = {}
        self._by_host: OrderedDict[str, deque[float]] = OrderedDict()

    async def client(self, client_id: str, *, known: bool = False) -> ClientFields:
        """What a client's document says of it; raises NotSentBack. `known`: somebody has signed in with it before."""
        url = cimd.checked_url(client_id)
        body = await self._body(url, lambda body: cimd.client_of(body, client_id), known=known)
        return cimd.client_of(body, client_id)

    async def keys(self, url: str, *, known: bool = False) -> list[Any]:
        """The members of a client's key set; raises NotSentBack where it cannot be had. `known`: not of a client that
        whoever asks registered.
        """
        try:
            checked = check_url(url, ANYWHERE, purpose="jwks_uri")
        except UrlRefused:
            raise cimd.unusable() from None
        return _keys_in(await self._body(checked, _keys_in, known=known))

    async def _body(self, url: PublicUrl, check: Callable[[bytes], object], *, known: bool) -> bytes:
        kept, now = self._kept.get(url), self._clock()
        if kept is not None and now < kept.fresh_until:
            self._kept.move_to_end(url)
            return kept.body
        try:
            return await self._once(url, lambda: self._fetched(url, check, known=known), known=known)
        except NotSentBack:
            if kept is not None and now < kept.good_until:
                return kept.body
            raise

    async def _once(self, url: str, fetch: Callable[[], Awaitable[bytes]], *, known: bool) -> bytes:
        """One fetch for all who want the same at the same time."""
        running = self._running.get(url)
        if running is not None:
            return await asyncio.shield(running)
        if len(self._running) >= MOST_AT_ONCE and not known:
            raise cimd.unusable()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._running[url] = future
        try:
            body = await fetch()
        except BaseException as error:
            # Whoever waits beside a fetch that was cancelled is told to come again.
            future.set_exception(error if isinstance(error, NotSentBack) else cimd.unusable())
            future.exception()  # nobody may be waiting for it
            raise
        else:
            future.set_result(body)
            return body
        finally:
            del self._running[url]

    async def _fetched(self, url: PublicUrl, check: Callable[[bytes], object], *, known: bool) -> bytes:
        self._count(url if known else urlsplit(url).netloc)
        try:
            async with self._egress.request("GET", url, {"Accept": "application/json"}, deadline=WITHIN_S) as answer:
                if answer.status != 200 or not cimd.is_json(answer.headers.get("Content-Type", "")):
                    raise cimd.unusable()
                body = await read_capped(answer, MOST_BYTES)
                fresh_s = cimd.fresh_for({"Cache-Control": answer.headers.get("Cache-Control", "")})
        except UpstreamFault as fault:
            log.info("a client's document cannot be had", extra={"url": url, "fault": str(fault)})
            raise cimd.unusable() from None
        check(body)
        now = self._clock()
        self._kept[url] = _Kept(body, now + fresh_s, now + _STALE_S)
        self._kept.move_to_end(url)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return body

    def _count(self, whose: str) -> None:
        now = self._clock()
        asked = self._by_host.setdefault(whose, deque(maxlen=A_MINUTE_OF_ONE_HOST))
        self._by_host.move_to_end(whose)
        while len(self._by_host) > MOST_HOSTS:
            self._by_host.popitem(last=False)
        if len(asked) == A_MINUTE_OF_ONE_HOST and now - asked[0] < 60.0:
            raise cimd.unusable()
        asked.append(now)


def _keys_in(body: bytes) -> list[Any]:
    try:
        return msgspec.json.decode(body, type=_KeySet).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise cimd.unusable() from None


class _KeySet(msgspec.Struct):
    keys: list[Any]
