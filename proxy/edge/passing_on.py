"""Requests for sign-in and for people's pages, passed on to control's public listener, and its answers back.

People and clients know one address, the public URL. What comes there for the authorization server or for a page
(`passed_on_paths.py`) the aiohttp lane hands to this. Nothing is decided about who asks: control reads the request as
if it had come straight to it, with the proxy's word on where it came from (`core/passed_on.py`). Passed on are the
path as it came, the headers but those of one hop and those that say where a request came from, and a body within a
cap; back come status, headers and body as they come, event streams too. Every wait has an end, and strangers take
no more than a share of what a worker has. While control is away there is a page that says so.

Off where `ARCHWAY_CONTROL_PUBLIC_URL` is empty, or the authorization server has an address of its own.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from core.egress.addresses import ANYWHERE, PublicUrl
from core.egress.client import Egress, UpstreamFault, next_chunk
from core.egress.header_grammar import WRITTEN_BY_CLIENTS
from core.internal_call import InternalCalls
from core.passed_on import OURS, CameFrom, told
from proxy.deps import Deps
from proxy.edge.passed_on_paths import has_one_meaning, is_passed_on
from proxy.edge.writing import within
from proxy.exchange import Exchange
from proxy.limits.budget import household
from proxy.limits.shares import Shares, quarter
from proxy.our_name import SERVER
from proxy.refusals import Refusal, overloaded
from proxy.settings import ProxySettings
from proxy.stages.admit import address_of, judged_for_us
from proxy.telemetry.metrics import PASSED_ON, by_value

log = logging.getLogger(__name__)
_OUTCOMES: Final = by_value(PASSED_ON)

MOST_BODY: Final = 1 << 20
"""Bytes of a body: forms and registrations are some KiB."""
MOST_AT_ONCE: Final = 400
"""Requests that a worker passes on at the same time, a quarter of them for one address: a page that waits for news
holds one for minutes."""
SILENCE_S: Final = 30.0
"""For the beginning of an answer, and between its pieces; an event stream has a comment at least every 15 s."""
WHOLE_S: Final = 600.0
"""For all of it. A browser takes an event stream up again by itself."""
_LOOK_S: Final = 1.0
"""How often an event stream looks whether its worker leaves."""
_SAFE: Final = frozenset({"GET", "HEAD"})
"""Asked again where a connection that had lain idle was closed just then."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OF_ONE_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
"""RFC 9110 section 7.6.1."""
_WHERE_FROM: Final = frozenset({"forwarded", "x-real-ip", "client-ip", "true-client-ip", "cf-connecting-ip"})
_FOREIGN_PREFIXES: Final = ("x-forwarded-", "x-archway-", "proxy-")
_NOT_BACK: Final = _OF_ONE_HOP | {"content-length", "server", "date", "x-request-id"}


def open_to_pages(settings: ProxySettings) -> Egress | None:
    """A client for control's public listener, whose address is the operator's word; None: nothing is passed on."""
    if not settings.passes_on:
        return None
    return Egress(ANYWHERE, ca_bundle=settings.ca_bundle or None, per_host=MOST_AT_ONCE, connect_seconds=1.0)


class PassingOn:
    """Passes requests on to control's public listener, for one worker. `egress` is a client for that alone."""

    def __init__(self, deps: Deps, egress: Egress) -> None:
        self._deps, self._egress = deps, egress
        settings = deps.settings
        self._addresses = [address.strip().rstrip("/") for address in settings.control_public_url]
        self._calls = InternalCalls(settings.key_ring, caller="proxy", answerer="control")
        self._scheme: Final[Literal["http", "https"]] = (
            "https" if urlsplit(settings.public_url).scheme == "https" else "http"
        )
        self._at_once = Shares()

    @staticmethod
    def takes(target: str) -> bool:
        """Whether a request with this raw target is passed on."""
        return is_passed_on(target)

    def judge(self, x: Exchange) -> None:
        """Fill headers and address. Refuses 400, 405 and 421, and 503 where the worker has too much to do.

        The origin is not judged here: pages of other origins may ask for tokens, and for the rest control decides.
        """
        x.headers, path = judged_for_us(x.head, self._deps)
        x.address = address_of(x.head.peer, x.headers, self._deps)
        if x.head.method not in METHODS:
            raise Refusal("method_not_allowed", method=x.head.method[:16])
        if path != x.head.target or not has_one_meaning(path):
            raise Refusal("framing", what="the path has more than one meaning")
        overload = self._deps.overload
        if overload.sheds and overload.refuses(x.address, stranger=True):
            raise overloaded()

    async def pass_on(self, x: Exchange, request: web.BaseRequest, body: bytes, *, last: bool) -> web.StreamResponse:
        """Pass a judged request on, and its answer back to who asked. Refuses `sign_in_away` and `overloaded`.

        `last`: nothing may follow on the connection.
        """
        owner = household(x.address)
        if not self._at_once.take(owner, 1, most=MOST_AT_ONCE, share=quarter(MOST_AT_ONCE)):
            raise overloaded()
        try:
            return await self._of_any(x, request, body, last=last)
        finally:
            self._at_once.give_back(owner, 1)

    async def _of_any(self, x: Exchange, request: web.BaseRequest, body: bytes, *, last: bool) -> web.StreamResponse:
        """The answer of the first address that takes the request. One that may have acted on it is the last."""
        came_from = CameFrom(x.address, x.headers["host"], self._scheme, x.request_id)
        headers = _sent(x) | told(self._calls, x.head.method, x.head.target, came_from)
        for address in self._addresses * (2 if x.head.method in _SAFE else 1):
            begun: list[web.StreamResponse] = []
            try:
                return await self._of_one(address, x, request, headers, body, begun, last=last)
            except UpstreamFault as fault:
                log.info("control's public listener gave no answer", extra={"why": fault.detail, "at": address})
                if begun:  # it can only be cut off
                    raise ConnectionResetError("control's answer broke off") from None
                if fault.reason == "slow" or (fault.sent and x.head.method not in _SAFE):
                    break
        self._deps.slots.add(_OUTCOMES["unavailable"])
        raise Refusal("sign_in_away", retry_after=2)

    async def _of_one(
        self,
        address: str,
        x: Exchange,
        request: web.BaseRequest,
        headers: dict[str, str],
        body: bytes,
        begun: list[web.StreamResponse],
        *,
        last: bool,
    ) -> web.StreamResponse:
        """One address' answer, written as it comes; what was begun of it is in `begun`. Raises UpstreamFault."""
        url, seconds = PublicUrl(address + x.head.target), self._deps.settings.write_seconds
        async with self._egress.request(
            x.head.method,
            url,
            headers,
            body or None,
            deadline=WHOLE_S,
            silence=SILENCE_S,
            host=x.headers["host"],
        ) as answer:
            response = web.StreamResponse(
                status=answer.status, reason=_phrase(answer.status), headers=_given_back(answer, x.request_id)
            )
            if answer.content_length is not None:
                response.content_length = answer.content_length
            if last or self._deps.draining:
                response.force_close()
            begun.append(response)
            self._deps.slots.add(_OUTCOMES["answered"])
            await within(seconds, request, response.prepare(request))
            while chunk := await self._next(answer):
                await within(seconds, request, response.write(chunk))
            await within(seconds, request, response.write_eof())
            return response

    async def _next(self, answer: aiohttp.ClientResponse) -> bytes:
        """The next piece; nothing more of an event stream once the worker leaves."""
        if answer.content_type != "text/event-stream":
            return await next_chunk(answer)
        while not self._deps.draining:
            try:
                async with asyncio.timeout(_LOOK_S):
                    return await next_chunk(answer)
            except TimeoutError:
                continue
        return b""


def _sent(x: Exchange) -> dict[str, str]:
    """The headers that go on to control."""
    of_this_hop = {name.strip().lower() for name in x.headers.get("connection", "").split(",")}
    left_out = _OF_ONE_HOP | WRITTEN_BY_CLIENTS | _WHERE_FROM | OURS | of_this_hop
    sent = {
        name: value
        for name, value in x.headers.items()
        if name not in left_out and not name.startswith(_FOREIGN_PREFIXES)
    }
    cookies = [value.decode("ascii") for name, value in x.head.raw_headers if name.lower() == b"cookie"]
    if len(cookies) > 1:  # a list with another separator than lists have (RFC 9113 section 8.2.3)
        sent["cookie"] = "; ".join(cookies)
    return sent


def _given_back(answer: aiohttp.ClientResponse, request_id: str) -> list[tuple[str, str]]:
    """The headers that go back to who asked; a name may come twice, as `Set-Cookie` does."""
    of_this_hop = {name.strip().lower() for name in answer.headers.get("Connection", "").split(",")}
    left_out = _NOT_BACK | of_this_hop
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in left_out]
    return [*kept, ("Server", SERVER), ("X-Request-Id", request_id)]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
