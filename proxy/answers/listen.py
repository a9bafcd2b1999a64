"""`subscriptions/listen` (MCP 2026-07-28): a stream on which a modern client hears what changes.

What it may hear is acknowledged first, as the first event; the lane then holds the stream, as it holds those of
legacy sessions. Of single resources those are acknowledged whose servers say that they will tell.
"""

import asyncio

from core.mcp.event_stream import encode_event
from core.mcp.faults import INVALID_PARAMS, MessageFault
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.stream_news import METHODS, Subscribed, Subscription
from proxy.refusals import Refusal
from proxy.stages.choose_offered import resource_of
from proxy.subscriptions.of_sessions import MOST_OF_SESSION


async def listen(x: Exchange, deps: Deps) -> Answer:
    """The beginning of the stream. Raises MessageFault for parameters of another shape, and Refusal
    `too_many_subscriptions`.
    """
    asked = x.request.params.get("notifications")
    if not isinstance(asked, dict):
        raise _wrong(x, "params.notifications must be an object.")
    uris = asked.get("resourceSubscriptions", [])
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise _wrong(x, "params.notifications.resourceSubscriptions must be a list of URIs.")
    if len(uris) > MOST_OF_SESSION:
        raise Refusal("too_many_subscriptions", most=MOST_OF_SESSION)
    told = await asyncio.gather(*(_subscribed(x, deps, uri) for uri in dict.fromkeys(uris)))
    wanted = frozenset(news for news in METHODS if asked.get(news) is True)
    x.subscription = Subscription(x.request.id, wanted, tuple(one for one in told if one is not None))
    return Answer(200, encode_event(x.subscription.acknowledged), media_type="text/event-stream")


async def _subscribed(x: Exchange, deps: Deps, uri: str) -> Subscribed | None:
    """A resource of which its server will tell; None where nobody does."""
    assert x.gateway is not None
    try:
        offer, own = await resource_of(x, deps, uri)
        one = Subscribed(uri, offer.assignment_id, own)
        await deps.subscriptions.ask(x.caller, x.gateway, None, one)
    except (Refusal, SourceUnreachable):
        return None
    return one


def _wrong(x: Exchange, sentence: str) -> MessageFault:
    return MessageFault(INVALID_PARAMS, sentence, 400, x.request.id)
