"""Reading an upstream's answer: one JSON body or an event stream, until the one message that is ours.

By rule, not by trust: an answer for another id is dropped, a second one is never read, notifications other than
progress on our own token are dropped, and whatever is passed on was parsed and is serialised anew.
"""

from collections.abc import AsyncIterator

import aiohttp
import orjson

from core.egress import UpstreamFault, never_reuse, next_chunk, read_capped
from core.mcp.event_stream import EventReader, EventStreamFault
from core.mcp.faults import MessageFault
from core.mcp.json_limits import loads

Json = dict[str, object]
MAX_EVENTS = 100_000


async def messages(response: aiohttp.ClientResponse, *, cap_bytes: int) -> AsyncIterator[Json]:
    """Every JSON-RPC message of an answer, in order. Raises UpstreamFault for what cannot be read."""
    if _media_type(response) == "text/event-stream":
        async for message in _events(response, cap_bytes):
            yield message
        return
    body = await read_capped(response, cap_bytes)
    yield _object(body)


def is_answer_to(message: Json, request_id: int) -> bool:
    """Whether this is the result or error of our request."""
    return (
        "method" not in message
        and message.get("id") == request_id
        and not isinstance(message.get("id"), bool)
        and (isinstance(message.get("result"), dict) or isinstance(message.get("error"), dict))
    )


async def error_in(response: aiohttp.ClientResponse) -> Json | None:
    """The JSON-RPC error in the body of a status that is no success, if there is one."""
    if _media_type(response) != "application/json":
        return None
    try:
        message = _object(await read_capped(response, 1 << 16))
    except UpstreamFault:
        return None
    error = message.get("error")
    return error if isinstance(error, dict) else None


async def _events(response: aiohttp.ClientResponse, cap_bytes: int) -> AsyncIterator[Json]:
    reader = EventReader(max_event_bytes=cap_bytes, max_events=MAX_EVENTS)
    never_reuse(response)  # we may leave the stream before its end, and a stream is long-lived anyway
    try:
        while chunk := await next_chunk(response):
            for event in reader.feed(chunk):
                if event.data:
                    yield _object(event.data)
    except EventStreamFault as fault:
        raise UpstreamFault("too_large", sent=True, detail=str(fault)) from fault


def _object(raw: bytes) -> Json:
    try:
        message = loads(raw, max_values=1_000_000, max_string=len(raw) + 1)
    except MessageFault as fault:
        raise UpstreamFault("broken", sent=True, detail=f"answer is no acceptable JSON: {fault.message}") from fault
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise UpstreamFault("broken", sent=True, detail="answer is no JSON-RPC message")
    return message


def _media_type(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def dump(message: Json) -> bytes:
    """A message as it goes on the wire."""
    return orjson.dumps(message)
