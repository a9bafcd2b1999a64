"""Show URIs: find out how the caller knows those in a result, where several servers of the gateway offer resources.

The caller's own lists say it (`Deps.lists`), as they do where a resource is chosen; `relay` puts it into the result.
What the caller reads comes back as they asked for it in any case, and pages of apps as their tools name them.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

from core.mcp.methods import RESOURCES_LIST, TEMPLATES_LIST
from core.snapshot import Offer
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.offered.listing import Listing
from proxy.offered.shown_uris import ShownUris, holds_uris
from proxy.offered.targets import OfferedResource

LISTS_S: Final = 2.0
"""For the lists of all servers, on top of the call. Without them URIs get the name of their offer, which leads back
to their server, too.
"""
_NONE: Final = Listing([], [], [])


def show_uris(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill how URIs are shown, where some may need a name; waits only then, where lists must be asked for."""
    gateway, target = x.gateway, x.target
    assert gateway is not None
    assert target is not None
    if x.result is None or not holds_uris(x.result):
        return None
    known = gateway.renamed_pages(target.route)
    if isinstance(target, OfferedResource):
        known[target.own] = str(x.request.params["uri"])
    offer = gateway.names_uris_by(target.route)
    if offer is not None:
        return _look_up(x, deps, offer, known)
    if any(own != uri for own, uri in known.items()):
        x.uris = ShownUris(None, (), (), (), known)
    return None


async def _look_up(x: Exchange, deps: Deps, offer: Offer, known: dict[str, str]) -> None:
    assert x.gateway is not None
    listed, templates = _NONE, _NONE
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTS_S):
            listed, templates = await asyncio.gather(
                deps.lists.listing(x, deps, RESOURCES_LIST), deps.lists.listing(x, deps, TEMPLATES_LIST)
            )
    x.uris = ShownUris(offer, listed.items, templates.items, x.gateway.offers("resources"), known)
