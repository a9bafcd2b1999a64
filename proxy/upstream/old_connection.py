"""One session with a server of the transport of 2024-11-05 (HTTP with SSE), behind the interface `Requests`.

GET opens a stream, whose first event names the endpoint: the URL to post to. All that the server says comes on the
stream, the answers to what is posted, too. So a request here is a POST whose answer is what comes for it on the
stream, as the later transport has it, and what reads answers need not know of the difference. The session ends with
the stream. `old_sessions` opens and keeps it. MCP 2024-11-05, transports, "HTTP with SSE".
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin, urlsplit

import orjson
from msgspec.structs import replace

from core.egress.addresses import MAX_URL_CHARS, PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.event_stream import EventReader, EventStreamFault
from core.mcp.methods import PROGRESS
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.addresses import address_of, policy_of
from proxy.upstream.answers import EVENT_STREAM, MESSAGE, ON_LOOP, is_stream, is_success, message_in
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.transport import Transport, UpstreamAnswer
from proxy.upstream.unsuccessful import read_unsuccessful

log = logging.getLogger(__name__)
_ID: Final = "stream"
"""Not sent: the endpoint's URL names the session."""
IDLE_S: Final = 1500.0
"""After so long without a request it is closed. No request takes as long."""
MOST_EVENTS: Final = 1_000_000
"""Of one stream; then a new session is opened."""
_MOST_POSTED: Final = 1 << 16
"""Bytes of the answer to a POST, which only says that it came."""


class OldConnection:
    """A stream and its endpoint. `read` is its owner's task; `posts` and `streams` are transports for either."""

    def __init__(self, posts: Transport, streams: Transport, installation: ResolvedInstallation, most: int) -> None:
        self._posts, self._streams, self._most = posts, streams, most
        self.at = installation
        """The installation, at the endpoint once that is known."""
        self.session = UpstreamSession(_ID, "")
        """As what reads answers knows sessions; its version is known once it is opened."""
        self.over = False
        self._known = asyncio.Event()
        self._why: UpstreamFault | Refusal = UpstreamFault("broken", sent=True, detail="the stream was closed")
        self._waiting: dict[int, _Answer] = {}
        self._clock = asyncio.timeout(None)

    async def read(self) -> None:
        """Read the stream until it ends, or was not used for long."""
        headers = {**self.at.own_headers, "accept": EVENT_STREAM}
        try:
            async with self._clock:
                self._used()
                async with self._streams.request("GET", address_of(self.at), headers) as response:
                    response.never_reuse()
                    await self._read(response)
        except TimeoutError:
            log.debug("a stream was not used for long")
        except EventStreamFault as fault:
            self._why = UpstreamFault("too_large", sent=True, detail=str(fault), figure=self._most)
        except ValueError as wrong:
            self._why = UpstreamFault("broken", sent=True, whole=True, detail=str(wrong))
        except (UpstreamFault, Refusal) as fault:
            self._why = fault
        finally:
            self.over = True
            self._known.set()
            for answer in self._waiting.values():
                answer.fail()

    def is_held_as(self, installation: ResolvedInstallation) -> bool:
        """Whether its address is held to the policy to which this one's is: what was posted is held as the stream."""
        return policy_of(self.at) == policy_of(installation)

    @property
    def in_use(self) -> bool:
        """Whether somebody waits for what it says."""
        return bool(self._waiting)

    def agreed(self, version: str) -> None:
        """The session is open, with this revision."""
        self.session = UpstreamSession(_ID, version)

    async def endpoint_known(self) -> None:
        """Wait for it. Raises UpstreamFault or Refusal where there is none."""
        await self._known.wait()
        if self.over:
            raise self._why

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: PublicUrl,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        deadline: float | None = None,
    ) -> AsyncIterator[UpstreamAnswer]:
        """Post a message; the answer is what comes for it on the stream, or that of the POST where it is refused, or
        is to a notification. See `Requests.request`.
        """
        if self.over:
            raise UpstreamFault("broken", sent=False, detail="the stream is closed")
        self._used()
        request_id = orjson.loads(body or b"{}").get("id")
        answer = _Answer(self._most)
        if request_id is not None:
            self._waiting[request_id] = answer
        clock = asyncio.timeout(deadline)
        try:
            async with clock:
                async with self._posts.request(method, url, headers, body) as posted:
                    if request_id is None or not is_success(posted.status):
                        yield posted
                        return
                    _ = await posted.read_capped(_MOST_POSTED)
                yield answer
        except TimeoutError:
            if not clock.expired():
                raise
            raise UpstreamFault("slow", sent=True, detail="no answer in time", figure=deadline) from None
        finally:
            if request_id is not None:
                self._waiting.pop(request_id, None)

    def _used(self) -> None:
        self._clock.reschedule(asyncio.get_running_loop().time() + IDLE_S)

    async def _read(self, response: UpstreamAnswer) -> None:
        if not is_success(response.status):
            raise (await read_unsuccessful(response)).refusal(self.at, "GET")
        if not is_stream(response):
            raise UpstreamFault("broken", sent=True, whole=True, detail="GET is answered with no event stream")
        reader = EventReader(self._most, MOST_EVENTS)
        while chunk := await response.next_chunk():
            for event in reader.feed(chunk):
                if event.name == MESSAGE:
                    self._take(event.data)
                elif event.name == "endpoint" and not self._known.is_set():
                    self.at = replace(self.at, url=endpoint_of(self.at.url, event.data))
                    self._known.set()
        raise UpstreamFault("broken", sent=True, detail="the stream has ended")

    def _take(self, data: bytes) -> None:
        for answer in self._meant(data):
            answer.put(data)

    def _meant(self, data: bytes) -> "list[_Answer]":
        """Who is to read a message. What names no request is for the newest: it is the likeliest to have led to it.
        A large one is given to all, who read it beside the loop, and pass over what is not theirs.
        """
        waiting = list(self._waiting.values())
        if len(data) > ON_LOOP or not waiting:
            return waiting
        try:
            message = message_in(data)
        except UpstreamFault:
            return []
        params = message.get("params")
        if "method" not in message:
            named = str(message.get("id"))
        elif message["method"] == PROGRESS and isinstance(params, dict):
            named = str(params.get("progressToken")).removeprefix("p")
        else:
            return waiting[-1:]
        return [self._waiting[int(named)]] if named.isdecimal() and int(named) in self._waiting else []


class _Answer:
    """What comes on the stream for one request, behind `UpstreamAnswer`: an event stream of its own."""

    status = 200

    def __init__(self, most: int) -> None:
        self._most, self._held, self._left = most, 0, False
        self._events: asyncio.Queue[bytes] = asyncio.Queue()

    def put(self, data: bytes) -> None:
        if self._held > self._most:
            return  # nobody reads it: what waits is bounded, and the answer is missed
        self._held += len(data)
        lines = data.replace(b"\r", b"\n").split(b"\n")
        self._events.put_nowait(b"".join(b"data: " + line + b"\n" for line in lines) + b"\n")

    def fail(self) -> None:
        """The stream is over."""
        self._left = True
        self._events.put_nowait(b"")

    def header(self, name: str) -> str | None:
        """Only what it is."""
        return EVENT_STREAM if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        """The next event. Raises UpstreamFault where the stream has ended."""
        event = await self._events.get()
        if not event:
            self._events.put_nowait(event)
            raise UpstreamFault("broken", sent=True, detail="the stream has ended before the answer came")
        self._held -= len(event)
        return event

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The next event: it has no end."""
        return await self.next_chunk()

    def never_reuse(self) -> None:
        """The stream is others' too."""

    def may_be_left(self, *, all_read: bool) -> None:
        """As above."""


def endpoint_of(url: str, named: bytes) -> str:
    """The URL to post to, which a stream of `url` has named. Raises ValueError for one of another origin: the
    credential goes there.
    """
    if len(named) > MAX_URL_CHARS:
        raise ValueError(f"the endpoint has more than {MAX_URL_CHARS} characters")
    found = urljoin(url, named.decode("ascii").strip())
    there, here = urlsplit(found), urlsplit(url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise ValueError("the endpoint is at another origin than the stream")
    return PublicUrl(there._replace(fragment="").geturl())
