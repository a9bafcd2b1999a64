"""Show URIs: find out how the caller knows those in a result, where several servers of the gateway offer resources.

The caller's own lists say it (`Deps.lists`), as they do where a resource is chosen; `relay` puts it into the result.
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
    assert x.gateway is not None
    assert x.target is not None
    offer = x.gateway.names_uris_by(x.target.route)
    if offer is None or x.result is None or not holds_uris(x.result):
        return None
    return _look_up(x, deps, offer)


async def _look_up(x: Exchange, deps: Deps, offer: Offer) -> None:
    assert x.gateway is not None
    listed, templates = _NONE, _NONE
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTS_S):
            listed, templates = await asyncio.gather(
                deps.lists.listing(x, deps, RESOURCES_LIST), deps.lists.listing(x, deps, TEMPLATES_LIST)
            )
    target = x.target
    asked = {target.own: str(x.request.params["uri"])} if isinstance(target, OfferedResource) else {}
    offers = x.gateway.offers("resources")
    x.uris = ShownUris(offer, listed.items, templates.items, offers, asked)
