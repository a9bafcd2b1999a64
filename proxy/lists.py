"""Lists of what servers offer on a gateway (prompts, resources, templates), asked for with the caller's credential.

The worker makes one for all its gateways; `proxy/answers/offered_lists.py` and `proxy/stages/choose_offered.py` ask
it by `Deps.lists`. Each server is asked by calls of their own, which go through the stages as any call does, all
servers at once; one that is down, or for which the caller lacks a credential, costs only its own items. What a server
listed is kept for this caller for a short while, so that pages fit together and a name leads to its server.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Final

import orjson

from core.identifiers import new_id
from core.mcp.message import Request
from core.single_flight import SingleFlight
from core.snapshot import Offer
from core.tasks import Tasks
from proxy.caches.recent import Recent
from proxy.deps import Deps
from proxy.exchange import NO_STREAM, Answer, Exchange
from proxy.limits.shares import quarter
from proxy.offered.listing import LISTS, Listing, ListKind, Missing
from proxy.offered.names import Found, shown
from proxy.offered.targets import OfferedList
from proxy.refusals import Refusal, overloaded
from proxy.resolve.installations import whose
from proxy.stages.apply_limits import apply_limits
from proxy.stages.apply_policy import apply_policy
from proxy.stages.compose_headers import compose_headers, passed_through
from proxy.stages.receive import receive
from proxy.stages.resolve_credential import resolve_credential
from proxy.upstream.list_answers import ListAnswers, read_all
from proxy.upstream_call import begin

LIST_S: Final = 15.0
"""For all pages of one server's list."""
YOUNG_S: Final = 30.0
"""How long a list is looked up in, and paged through."""
FRESH_S: Final = 1.0
"""How long it is told again to who asks for its first page."""
REFUSED_S: Final = 5.0
"""How long a server that could not be asked is left alone where a name is looked up."""
MOST_KEPT: Final = 2_000
ROOM: Final = 32 << 20
"""Bytes of all lists that are kept, as JSON, twice over."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one server listed for one caller, or why nothing."""

    found: Found | Missing
    notes: tuple[str, ...]
    size: int
    at: float


class Lists:
    """Asks servers for lists on behalf of callers, and remembers them for a while."""

    def __init__(self, tasks: Tasks) -> None:
        self._kept: Recent[str, _Kept] = Recent(MOST_KEPT, YOUNG_S, room=ROOM, size_of=lambda one: one.size)
        self._flights: SingleFlight[_Kept] = SingleFlight("lists of servers", tasks)

    async def listing(self, x: Exchange, deps: Deps, method: str, *, fresh: bool = False) -> Listing:
        """The list of this method as the caller sees it; `fresh`: as it is now, for who begins to read it."""
        assert x.gateway is not None
        kind = LISTS[method]
        offers = x.gateway.offers(kind.offers)
        kept = await asyncio.gather(*(self._of(x, deps, offer, method, fresh=fresh) for offer in offers))
        found = [one.found for one in kept if isinstance(one.found, Found)]
        missing = [one.found for one in kept if isinstance(one.found, Missing)]
        return Listing(shown(found, kind.named_by, offers), missing, [note for one in kept for note in one.notes])

    async def _of(self, x: Exchange, deps: Deps, offer: Offer, method: str, *, fresh: bool) -> _Kept:
        key = _key(x, offer, method)
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() - kept.at < _good_for(kept, fresh=fresh):
            return kept
        return await self._flights.result(key, lambda: self._asked(x, deps, offer, method, key))

    async def _asked(self, x: Exchange, deps: Deps, offer: Offer, method: str, key: str) -> _Kept:
        reading = _Reading(x, deps, offer, method)
        try:
            async with asyncio.timeout(LIST_S):
                found = await reading.all()
        except TimeoutError:
            refusal = Refusal("upstream_slow", server=offer.route.entry, seconds=LIST_S)
            kept = _Kept(Missing(offer, refusal), (), 0, time.monotonic())
        except Refusal as refusal:
            kept = _Kept(Missing(offer, refusal), (), 0, time.monotonic())
        else:
            kept = _Kept(Found(offer, tuple(found.items)), _notes(offer, found), reading.bytes, time.monotonic())
        finally:
            reading.end()
        self._kept.put(key, kept)
        return kept


def _good_for(kept: _Kept, *, fresh: bool) -> float:
    if fresh:
        return 0.0 if isinstance(kept.found, Missing) else FRESH_S
    return REFUSED_S if isinstance(kept.found, Missing) else YOUNG_S


def _notes(offer: Offer, found: ListAnswers) -> tuple[str, ...]:
    return tuple(f"{offer.route.entry}: {note}" for _, note in found.notes)


def _key(x: Exchange, offer: Offer, method: str) -> str:
    """Of one caller, by what the server gets for them, with the headers that go on: a server may list by all that."""
    assert x.gateway is not None
    passed = passed_through(x, offer.route)
    mark = hashlib.sha256(orjson.dumps(passed, option=orjson.OPT_SORT_KEYS)).hexdigest() if passed else ""
    theirs = whose(offer.route, x.caller) or x.caller.key
    return f"{x.gateway.id}/{offer.assignment_id}/{offer.revision}/{method}/{theirs}/{x.era.name}/{mark}"


class _Reading:
    """All pages of one server's list, each in a call of its own."""

    def __init__(self, x: Exchange, deps: Deps, offer: Offer, method: str) -> None:
        self._x, self._deps, self._offer, self._method = x, deps, offer, method
        self._kind: ListKind = LISTS[method]
        self._lists = ListAnswers(self._kind.member)
        self.bytes = 0
        """Of all pages, as JSON; held for the caller while they are read."""

    async def all(self) -> ListAnswers:
        """Every page within the caps. Raises Refusal where the first one cannot be had."""
        await read_all(self._lists, self._page)
        return self._lists

    def end(self) -> None:
        """Give back what was held while it was read."""
        self._deps.usage.held.give_back(self._x.caller.key, self.bytes)

    async def _page(self, cursor: str | None) -> dict[str, object]:
        target = OfferedList(self._offer, cursor or "", self._method, self._kind.member)
        asked = self._x.request
        meta = {name: value for name, value in asked.meta.items() if name != "progressToken"}
        message = Request(new_id(), self._method, {}, self._x.era, meta)
        # Named one by one: what the caller's own request holds or has met is none of this call's.
        one = replace(
            self._x, outlet=NO_STREAM, request_id=new_id(), began=time.perf_counter(), time=time.time(), body=b"",
            bytes_held=0, bytes_read=0, cut_off="", ended=True, runs=False, message=message, target=target,
            refused_as="error", asked=0, retry=None, trace=None, sampled=True, ran=False, holds_slot=False,
            installation=None, outbound=None, sent=None, result=None, asks=False, large=False, uris=None, answer=None,
            refusal=None,
        )  # fmt: skip
        stages = (
            apply_policy,
            apply_limits,
            resolve_credential,
            compose_headers,
            self._read_here,
            receive,
            _kept_as_result,
        )
        call = begin(one, self._deps, stages)
        await self._deps.calls.run_here(None, call.rest(call.step()))
        if one.refusal is not None:
            raise one.refusal
        if one.result is None:
            raise Refusal("upstream_broken", server=self._offer.route.entry, detail=self._method)
        self._hold(self._lists.page_bytes)
        return one.result

    def _read_here(self, one: Exchange, _: Deps) -> Awaitable[None] | None:
        """The page is read as discovery reads pages."""
        assert one.outbound is not None
        one.outbound.lists = self._lists
        return None

    def _hold(self, size: int) -> None:
        most = self._deps.settings.bytes_in_flight
        if not self._deps.usage.held.take(self._x.caller.key, size, most=most, share=quarter(most)):
            raise overloaded()
        self.bytes += size


def _kept_as_result(one: Exchange, _: Deps) -> None:
    """The last stage: nothing is written to anybody."""
    one.status, one.answer = "ok", Answer(200)
