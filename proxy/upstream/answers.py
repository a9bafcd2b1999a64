"""Reading an upstream's answer: one JSON body or an event stream, until the one message that is ours.

By rule, not by trust: an answer for another id is dropped, a second one is never read, notifications other than
progress on our own token are dropped, and whatever is passed on was parsed and is serialised again.
"""

from collections.abc import AsyncIterator

from core.egress.faults import UpstreamFault
from core.mcp.event_stream import EventReader, EventStreamFault, TooManyEvents
from core.mcp.faults import MessageFault
from core.mcp.json_limits import loads
from proxy.upstream.faults import WEB_PAGE
from proxy.upstream.transport import UpstreamAnswer

Json = dict[str, object]
MAX_EVENTS = 100_000


async def messages(response: UpstreamAnswer, *, cap_bytes: int) -> AsyncIterator[Json]:
    """Every JSON-RPC message of an answer, in order. Raises UpstreamFault for what cannot be read."""
    if not is_stream(response):
        yield await whole_message(response, cap_bytes=cap_bytes)
        return
    async for message in _events(response, cap_bytes):
        yield message


def is_stream(response: UpstreamAnswer) -> bool:
    """Whether the answer is an event stream; anything else is one JSON body, or nothing."""
    return _media_type(response) == "text/event-stream"


async def whole_message(response: UpstreamAnswer, *, cap_bytes: int) -> Json:
    """The message of an answer that is one JSON body. Raises UpstreamFault."""
    body = await response.read_capped(cap_bytes)
    if body[:256].lstrip()[:1] == b"<":
        raise UpstreamFault("broken", sent=True, detail=WEB_PAGE)
    return message_in(body)


def is_answer_to(message: Json, request_id: int) -> bool:
    """Whether this is the result or error of our request."""
    return (
        "method" not in message
        and message.get("id") == request_id
        and not isinstance(message.get("id"), bool)
        and (isinstance(message.get("result"), dict) or isinstance(message.get("error"), dict))
    )


def the_answer(message: Json, request_id: int) -> Json:
    """The only message of an answer, which must be the one to our request. Raises UpstreamFault."""
    if not is_answer_to(message, request_id):
        raise no_answer()
    return message


def no_answer() -> UpstreamFault:
    """The fault of an answer in which nothing answers our request."""
    return UpstreamFault("broken", sent=True, detail="the answer ended without an answer to our request")


async def _events(response: UpstreamAnswer, cap_bytes: int) -> AsyncIterator[Json]:
    reader = EventReader(max_event_bytes=cap_bytes, max_events=MAX_EVENTS)
    try:
        while chunk := await response.next_chunk():
            found = [event.data for event in reader.feed(chunk) if event.data]
            for number, data in enumerate(found, 1):
                response.may_be_left(all_read=number == len(found) and not reader.behind)
                yield message_in(data)
    except TooManyEvents as fault:
        raise UpstreamFault("too_large", sent=True, detail=str(fault), figure=MAX_EVENTS, unit="events") from fault
    except EventStreamFault as fault:
        raise UpstreamFault("too_large", sent=True, detail=str(fault), figure=cap_bytes) from fault


def message_in(raw: bytes) -> Json:
    """The JSON-RPC message in these bytes. Raises UpstreamFault."""
    try:
        message = loads(raw, max_values=1_000_000, max_string=len(raw) + 1)
    except MessageFault as fault:
        raise UpstreamFault("broken", sent=True, detail=f"answer is no acceptable JSON: {fault.message}") from fault
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise UpstreamFault("broken", sent=True, detail="answer is no JSON-RPC message")
    return message


def _media_type(response: UpstreamAnswer) -> str:
    return (response.header("content-type") or "").partition(";")[0].strip().lower()
