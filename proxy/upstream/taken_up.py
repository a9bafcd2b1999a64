"""Event streams of legacy servers that end before the answer: taken up again from the last event that was read.

A server may end a stream on purpose, so that nothing holds a connection while it works: it gave an event an id, and
says how long to wait before it is asked for what came since (MCP 2025-11-25, transports: "Resumability and
redelivery"; the event stream format of WHATWG HTML, section 9.2). A stream that breaks off is no different. Used by
`call_answers.py`, within the deadline of the call; a call is never sent a second time here.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.event_stream import EventReader
from proxy.upstream.transport import Transport, UpstreamAnswer

MOST_TIMES: Final = 1_000
"""How often one call's stream is taken up."""
FAILURES: Final = 3
"""How often in a row that may fail, for want of a connection or of a server that can answer."""
USUAL_S: Final = 1.0
"""How long is waited where the server does not say, as the official SDKs do."""
LEAST_S: Final = 0.1
"""The shortest wait, whatever the server says."""
_ID: Final = re.compile(rb"[\x21-\x7e]{1,1024}")
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a server that may do better soon."""


@dataclass(slots=True)
class StreamPosition:
    """Where the stream of one call ended."""

    last_id: str = ""
    """Of the last event; empty where there is none that a header can carry: then the stream cannot be taken up."""
    wait_s: float = USUAL_S
    events_left: int | None = None
    """That the rest of it may have, so that a flood in pieces is one; None: as many as any stream."""

    def reached(self, reader: EventReader) -> None:
        """A stream was read so far."""
        self.events_left = reader.events_left
        if reader.last_id:
            self.last_id = reader.last_id.decode("ascii") if _ID.fullmatch(reader.last_id) else ""
        if reader.retry_ms is not None:
            self.wait_s = max(reader.retry_ms / 1000, LEAST_S)

    def is_resumable_after(self, fault: UpstreamFault) -> bool:
        """Whether what was read may go on after this."""
        return bool(self.last_id) and fault.reason in {"broken", "refused"} and not fault.whole


async def take_up(
    transport: Transport,
    url: PublicUrl,
    headers: dict[str, str],
    position: StreamPosition,
    read: Callable[[UpstreamAnswer], Awaitable[dict[str, object] | None]],
) -> dict[str, object]:
    """The message that answers a call whose stream has ended at a position, which `read` moves on.

    `headers`: those of the call. `read` gives None for a stream that ends before the answer once more. Raises
    UpstreamFault where the server does not go on, or ends the stream too often.
    """
    failed = 0
    asked = {name: value for name, value in headers.items() if name != "content-type"}
    for _ in range(MOST_TIMES):
        await asyncio.sleep(position.wait_s)
        try:
            asked |= {"accept": "text/event-stream", "last-event-id": position.last_id}
            async with transport.request("GET", url, asked) as response:
                _judge(response)
                answer = await read(response)
            failed = 0
        except UpstreamFault as fault:
            failed += 1
            if failed == FAILURES or not position.is_resumable_after(fault):
                raise
            continue
        if answer is not None:
            return answer
    detail = f"the stream ended {MOST_TIMES} times without an answer to our request"
    raise UpstreamFault("broken", sent=True, whole=True, detail=detail)


def _judge(response: UpstreamAnswer) -> None:
    kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if response.status == 200 and kind == "text/event-stream":
        return
    detail = f"the stream is not taken up: status {response.status}, {kind or 'no content type'}"
    raise UpstreamFault("broken", sent=True, whole=response.status not in _PASSING, detail=detail)
