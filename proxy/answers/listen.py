"""`subscriptions/listen` (MCP 2026-07-28): a stream on which a modern client hears what changes.

What it may hear is acknowledged first, as the first event; the lane then holds the stream, as it holds those of
legacy sessions. News of single resources and of tasks is not passed on, and so not acknowledged.
"""

from core.mcp.event_stream import encode_event
from core.mcp.faults import INVALID_PARAMS, MessageFault
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.stream_news import METHODS, Subscription


def listen(x: Exchange, _: Deps) -> Answer:
    """The beginning of the stream. Raises MessageFault for parameters of another shape."""
    asked = x.request.params.get("notifications")
    if not isinstance(asked, dict):
        raise MessageFault(INVALID_PARAMS, "params.notifications must be an object.", 400, x.request.id)
    x.subscription = Subscription(x.request.id, frozenset(news for news in METHODS if asked.get(news) is True))
    return Answer(200, encode_event(x.subscription.acknowledged), media_type="text/event-stream")
