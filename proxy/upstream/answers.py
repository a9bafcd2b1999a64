"""Reading an upstream's answer: one JSON body or an event stream, until the one message that is ours.

By rule, not by trust: an answer for another id is dropped, a second one is never read, notifications other than
progress on our own token are dropped, and whatever is passed on was parsed and is serialised again, or was checked
where it is large. What one of the official SDKs takes is taken here: events of other types and those without a
message are passed over, an id may have become a string, a body may be a list.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from core.egress.faults import Kind, UpstreamFault
from core.mcp.answer_json import read, read_plainly
from core.mcp.event_stream import EventReader, EventStreamFault, TooManyEvents
from core.mcp.large_answer_json import LARGE, read_large
from proxy.upstream.faults import WEB_PAGE
from proxy.upstream.large_answers import Turns
from proxy.upstream.session_words import is_loss_without_form
from proxy.upstream.taken_up import StreamPosition
from proxy.upstream.transport import UpstreamAnswer
from proxy.upstream.unpacked import Unpacked

T = TypeVar("T")
Json = dict[str, object]
MAX_EVENTS = 100_000
EVENT_STREAM = "text/event-stream"
MESSAGE = "message"
"""The type of the events that hold messages; they have it, too, if they say none."""
ON_LOOP: Final = 256 * 1024
"""Bytes of a message up to which it may be read on the event loop; a longer one is read in its turn beside it."""
STREAM_ANSWERS: Final = 4
"""How many times the bytes of the largest answer a whole event stream may have, comments and empty lines counted."""
SMALLEST_CAP: Final = 16 << 20
"""Bytes that every event stream may have, however small an answer must be: room for much progress."""
_STEP: Final = 64 * 1024
"""Bytes of a stream that are read before others get a turn; a longer message is read here only if it is plain."""


async def messages(
    response: UpstreamAnswer, *, cap_bytes: int, large: Turns | None = None, position: StreamPosition | None = None
) -> AsyncIterator[Json]:
    """Every JSON-RPC message of an answer, in order. Raises UpstreamFault for what cannot be read.

    `large`: the turns that large messages wait for; without it they are read at once. `position`: is told how far an
    event stream was read.
    """
    response = inflated(response, cap_bytes)
    if is_stream(response):
        async for message in messages_of_stream(
            response, cap_bytes, lambda raw: _read_in_turn(_as_message, raw, large), position
        ):
            yield message
        return
    value = await _read_in_turn(lambda value: value, await whole_body(response, cap_bytes), large)
    for item in value if isinstance(value, list) else [value]:
        yield _as_message(item)


def is_success(status: int) -> bool:
    """Whether a status says that the answer holds what was asked for: 200, and others that servers use for it."""
    return 200 <= status < 300


def is_stream(response: UpstreamAnswer) -> bool:
    """Whether the answer is an event stream; anything else is one JSON body, or nothing."""
    return media_type(response) == EVENT_STREAM


def media_type(response: UpstreamAnswer) -> str:
    """The media type that the answer says it has, in small letters and without what stands behind it."""
    return (response.header("content-type") or "").partition(";")[0].strip().lower()


async def whole_answer(
    response: UpstreamAnswer, request_id: int, *, cap_bytes: int, large: Turns | None = None
) -> Json:
    """The message that answers our request, in an answer that is one JSON body. Raises UpstreamFault."""
    body = await whole_body(inflated(response, cap_bytes), cap_bytes)
    return await _read_in_turn(lambda value: _answer_of(value, request_id), body, large)


def answer_in(raw: bytes, request_id: int) -> Json:
    """The message that answers our request, in a JSON body. Raises UpstreamFault."""
    return _answer_of(_json(raw), request_id)


def _answer_of(value: object, request_id: int) -> Json:
    if isinstance(value, list):  # of a batch, as some servers answer; the TypeScript SDK takes it from all
        for item in value:
            if isinstance(item, dict) and item.get("jsonrpc") == "2.0" and is_answer_to(item, request_id):
                return item
        raise no_answer()
    return the_answer(_as_message(value), request_id)


def is_answer_to(message: Json, request_id: int) -> bool:
    """Whether this is the result or error of our request."""
    found = message.get("id")
    return (
        "method" not in message
        and (found == request_id or found == str(request_id))
        and not isinstance(found, bool)
        and (isinstance(message.get("result"), dict) or isinstance(message.get("error"), dict))
    )


def the_answer(message: Json, request_id: int) -> Json:
    """The only message of an answer, which must be the one to our request. Raises UpstreamFault."""
    if not is_answer_to(message, request_id):
        raise no_answer()
    return message


def no_answer() -> UpstreamFault:
    """The fault of an answer in which nothing answers our request."""
    return UpstreamFault("broken", sent=True, whole=True, detail="the answer ended without an answer to our request")


async def messages_of_stream(
    response: UpstreamAnswer,
    cap_bytes: int,
    read_it: Callable[[bytes], Awaitable[Json]],
    position: StreamPosition | None = None,
) -> AsyncIterator[Json]:
    """Every message of an event stream; `read_it` reads the data of one event. Raises UpstreamFault.

    An event that cannot be read is passed over, and told where the stream ends without anybody having left.
    """
    left = None if position is None else position.events_left
    reader = EventReader(max_event_bytes=cap_bytes, max_events=MAX_EVENTS if left is None else left)
    unread: UpstreamFault | None = None
    try:
        async for piece, is_last in _pieces(response, cap_bytes):
            found = [event for event in reader.feed(piece) if event.data]
            for number, event in enumerate(found, 1):
                if event.name != MESSAGE:
                    continue
                try:
                    message = await read_it(event.data)
                except UpstreamFault as fault:
                    unread = fault
                    continue
                response.may_be_left(all_read=is_last and number == len(found) and not reader.behind)
                yield message
    except TooManyEvents as fault:
        raise UpstreamFault("too_large", sent=True, detail=str(fault), figure=MAX_EVENTS, unit="events") from fault
    except EventStreamFault as fault:
        raise UpstreamFault("too_large", sent=True, detail=str(fault), figure=cap_bytes) from fault
    finally:
        if position is not None:
            position.reached(reader)
    if unread is not None:  # and nobody has left with an answer: this may have been it
        raise UpstreamFault(
            "broken",
            sent=True,
            whole=True,
            kind=unread.kind,
            detail=f"an event was no message, and none answers: {unread.detail}",
        )


async def _pieces(response: UpstreamAnswer, cap_bytes: int) -> AsyncIterator[tuple[bytes, bool]]:
    """A stream in pieces of at most `_STEP`, each with whether it is the last at hand. Others run in between."""
    most = max(STREAM_ANSWERS * cap_bytes, SMALLEST_CAP)
    taken = since = 0
    while chunk := await response.next_chunk():
        for start in range(0, len(chunk), _STEP):
            piece = chunk[start : start + _STEP]
            taken += len(piece)
            since += len(piece)
            if taken > most:
                detail = f"the event stream is longer than {most} bytes"
                raise UpstreamFault("too_large", sent=True, detail=detail, figure=most)
            yield piece, start + _STEP >= len(chunk)
            if since >= _STEP:
                since = 0
                await asyncio.sleep(0)


async def _read_in_turn(taken: Callable[[object], T], raw: bytes, large: Turns | None) -> T:
    if large is None or len(raw) <= _STEP:
        return taken(_json(raw))
    if len(raw) <= ON_LOOP and (value := read_plainly(raw)) is not None:
        return taken(value)
    return await large.read(lambda raw: taken(_json(raw)), raw)


async def whole_body(response: UpstreamAnswer, cap_bytes: int) -> bytes:
    """The body of an answer that is one JSON text. Raises UpstreamFault, also for an empty one and a web page."""
    body = await response.read_capped(cap_bytes)
    if not body:
        raise UpstreamFault("broken", sent=True, whole=True, detail=f"status {response.status} with an empty body")
    if body[:256].lstrip()[:1] == b"<":
        raise UpstreamFault("broken", sent=True, whole=True, kind="web_page", detail=WEB_PAGE)
    return body


def inflated(response: UpstreamAnswer, cap_bytes: int) -> UpstreamAnswer:
    """The answer as it is read: inflated where it came compressed, up to a cap."""
    coding = (response.header("content-encoding") or "").strip().lower()
    return response if coding in {"", "identity"} else Unpacked(response, coding, cap_bytes)


def message_in(raw: bytes) -> Json:
    """The JSON-RPC message in these bytes. Raises UpstreamFault."""
    return _as_message(_json(raw))


def _json(raw: bytes) -> object:
    try:
        return read(raw) if len(raw) <= LARGE else read_large(raw)
    except ValueError as wrong:
        raise UpstreamFault(
            "broken", sent=True, whole=True, detail=f"the answer is no acceptable JSON: {wrong}"
        ) from None


def _as_message(value: object) -> Json:
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        kind: Kind = "session_lost" if is_loss_without_form(value) else ""
        raise UpstreamFault("broken", sent=True, whole=True, kind=kind, detail="the answer is no JSON-RPC message")
    return value
