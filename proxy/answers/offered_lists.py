"""Lists of prompts, resources and templates: what servers offer, as the caller's own account sees it.

Asked for by `Deps.lists`, of all servers at once. A server of which nothing can be had costs its own items alone, and
is named in `_meta["archway/missing"]` with what helps; where nothing else would be in the list, the list is refused
in the same words, since an empty one would say that there is nothing.
"""

from typing import Final

import orjson

from core.mcp.faults import result_message
from core.mcp.shapes import META_MISSING, META_NOTES, result_for_modern
from core.mcp.versions import Era
from proxy.answers.paging import asked_page, no_such_page
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.tool_lists import cursor_of
from proxy.offered.listing import LISTS, Listing, Missing
from proxy.telemetry.metrics import LISTS as LISTS_ASKED

PAGE: Final = 200
"""Items on one page: most clients read one page only."""
_TTL_MS: Final = 0


async def list_offered(x: Exchange, deps: Deps) -> Answer:
    """One page. Raises Refusal where there is nothing to show and a server could not be asked."""
    assert x.gateway is not None
    deps.slots.add(LISTS_ASKED)
    number = asked_page(x)
    listing = await deps.lists.listing(x, deps, x.request.method, fresh=number == 0)
    if not listing.items and listing.missing:
        raise _most_telling(listing.missing).refusal
    items = [one.item for one in listing.items[number * PAGE : (number + 1) * PAGE]]
    if number and not items:
        raise no_such_page(x)
    result: dict[str, object] = {LISTS[x.request.method].member: items}
    if len(listing.items) > (number + 1) * PAGE:
        result["nextCursor"] = cursor_of(number + 1)
    meta = _meta(listing)
    if meta:
        result["_meta"] = meta
    if x.era is Era.MODERN:
        told = {"ttlMs": _TTL_MS, "cacheScope": "private"}
        shaped = result_for_modern(result | told, x.gateway.server_info)
        result = {**shaped, "_meta": {**shaped["_meta"], **meta}}  # type: ignore[dict-item]  # it is one
    return Answer(200, orjson.dumps(result_message(x.request.id, result)))


def _most_telling(missing: list[Missing]) -> Missing:
    """The one that a person can do something about."""
    return next((one for one in missing if one.refusal.link), missing[0])


def _meta(listing: Listing) -> dict[str, object]:
    meta: dict[str, object] = {}
    if listing.missing:
        meta[META_MISSING] = [_told(one) for one in listing.missing]
    if listing.notes:
        meta[META_NOTES] = listing.notes
    return meta


def _told(one: Missing) -> dict[str, object]:
    told: dict[str, object] = {
        "server": one.offer.route.entry,
        "code": one.refusal.reason,
        "retryable": one.refusal.row.retryable,
        "sentence": one.refusal.sentence,
    }
    if one.refusal.link:
        told["link"] = one.refusal.link
    return told
