"""Whether a server speaks the transport of 2024-11-05: one GET, asked when it opens no session by a later one.

That transport (HTTP with server-sent events) opens a stream by GET, whose first event names another URL to post to.
Called by `old_sessions`; `old_connection` speaks it.
"""

from typing import Final

from core.egress.faults import UpstreamFault
from core.mcp.event_stream import EventReader, EventStreamFault
from core.resolve import ResolvedInstallation
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import is_stream
from proxy.upstream.transport import Transport, UpstreamAnswer

SECONDS: Final = 3.0
_MOST_READ: Final = 1 << 16


async def speaks_old_transport(transport: Transport, installation: ResolvedInstallation) -> bool:
    """Whether GET is answered with an event stream that begins with the event `endpoint`. Raises nothing."""
    headers = {**installation.own_headers, "accept": "text/event-stream"}
    try:
        async with transport.request("GET", address_of(installation), headers, deadline=SECONDS) as response:
            return response.status == 200 and is_stream(response) and await _names_endpoint(response)
    except (UpstreamFault, EventStreamFault, ValueError):
        return False


async def _names_endpoint(response: UpstreamAnswer) -> bool:
    response.never_reuse()  # the stream has no end
    reader, read = EventReader(_MOST_READ), 0
    while read < _MOST_READ and (chunk := await response.next_chunk()):
        read += len(chunk)
        for event in reader.feed(chunk):
            return event.name == "endpoint"
    return False
