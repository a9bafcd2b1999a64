"""Looking after the GET streams of both lanes: one task for all of them, and nothing of a request is kept.

Each stream is looked at about every second, a few at a time, so that ten thousand of them never hold up a call. A
stream gets a comment every 15 s or so. It ends when the worker drains, each at a moment of its own; when its session
ends, or has lasted its 24 hours; when the gateway admits the caller no more; or when what they came with is good no
longer, which is asked with every comment, and at once where the verdict on it is not remembered. Those that a change
may be about are looked at when it is heard of. That its caller left, its lane tells. Whether a stream may begin is
decided in `get_stream.py`.
"""

import asyncio
from typing import Final, Protocol

from core.mcp.event_stream import COMMENT_KEEPALIVE, encode_event
from core.spreading import between
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.gateways.stream_news import news_of
from proxy.limits.streams import MayConcern
from proxy.listening.drain import GOODBYE, goodbye_after, look_within
from proxy.sessions.sealed import Session
from proxy.stages.authenticate import judged_again

KEEPALIVE_S = 15.0
LOOK_S = 1.0
_PARTS: Final = 20
"""Into how many portions a round over all streams is divided."""


class OpenStream(Protocol):
    """An open GET stream as its lane writes it."""

    def say(self, piece: bytes) -> None:
        """Send a comment, so that nobody on the way takes the stream for dead, or an event."""

    def end_stream(self, last: bytes) -> None:
        """Send the last bytes, if there are any, and the end."""


class HeldStream:
    """What must be known of a stream while it is open."""

    __slots__ = (
        "address", "asking", "caller", "due", "gateway", "gateway_name",
        "goodbye", "place", "session", "subscription",
    )  # fmt: skip

    def __init__(self, x: Exchange, due: float) -> None:
        self.place = place_of(x)
        self.gateway = x.gateway
        """Of whose lists it was told last."""
        self.subscription = x.subscription
        """Of a modern caller."""
        self.gateway_name, self.address = x.gateway_name, x.address
        self.caller = x.caller
        """As judged the last time; a stranger once nothing speaks for them any more."""
        self.session: Session | None = x.session
        """Of a legacy one."""
        self.due = due
        """When the next comment is."""
        self.goodbye = 0.0
        """When it ends, where the worker drains."""
        self.asking = False


class StreamSweep:
    """The open GET streams of one worker."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._streams: dict[OpenStream, HeldStream] = {}
        self._task: asyncio.Task[None] | None = None
        deps.streams.looked_after_by(self)

    def add(self, stream: OpenStream, x: Exchange) -> None:
        """Look after a stream that has begun, for which `get_stream.take_place` took its session's place."""
        held = self._streams[stream] = HeldStream(x, _next_comment())
        self._deps.subscriptions.begin(stream, held, stream.say)
        if self._task is None:
            self._task = self._deps.calls.serve(self._sweep())

    def drop(self, stream: OpenStream) -> None:
        """Forget a stream that is over: give its place back, unless that was done."""
        held = self._streams.pop(stream, None)
        if held is not None:
            self._deps.streams.close(held.place)
            self._deps.subscriptions.end(stream)

    def __len__(self) -> int:
        return len(self._streams)

    def look_at(self, may_concern: MayConcern) -> list[asyncio.Task[None]]:
        """Look now at the streams that a change may be about; the questions that this began."""
        concerned = [
            stream
            for stream, held in self._streams.items()
            if may_concern(held.caller, held.gateway_name, held.place)
        ]
        return [asked for stream in concerned if (asked := self._look(stream)) is not None]

    async def _sweep(self) -> None:
        """Round after round while there are streams."""
        look_s = look_within(self._deps.settings.grace_seconds, LOOK_S)
        try:
            while self._streams:
                everyone = list(self._streams)
                portion = -(-len(everyone) // _PARTS)
                for start in range(0, portion * _PARTS, portion):
                    await asyncio.sleep(look_s / _PARTS)
                    for stream in everyone[start : start + portion]:
                        _ = self._look(stream)
        finally:
            self._task = None

    def _look(self, stream: OpenStream) -> asyncio.Task[None] | None:
        held = self._streams.get(stream)
        if held is None or held.asking:
            return None
        deps = self._deps
        now = asyncio.get_running_loop().time()
        if deps.draining and not held.goodbye:
            held.goodbye = now + goodbye_after(deps.settings.grace_seconds)
        if deps.draining and now >= held.goodbye:
            self._end(stream, GOODBYE if held.subscription is None else encode_event(held.subscription.last))
            return None
        if not still_good(held, deps):
            self._end(stream)
            return None
        self._tell_news(stream, held)
        comment = now >= held.due
        stands = held.caller.stands
        if not comment and stands and deps.authority.remembers(held.caller.proof.digest):
            return None
        verdict = deps.authority.known(held.caller.proof) if stands else None
        if verdict is None:
            held.asking = True
            return deps.calls.serve(self._ask(stream, held, comment=comment))
        held.caller = held.caller.judged(verdict)  # one that has left a team since may not see the gateway any more
        self._go_on(stream, held, comment=comment)
        return None

    def _tell_news(self, stream: OpenStream, held: HeldStream) -> None:
        """What changed of the gateway's lists since the stream was told of them."""
        before, now = held.gateway, self._deps.gateways.peek(held.gateway_name)
        if now is before or now is None:
            return
        held.gateway = now
        self._deps.subscriptions.begin(stream, held, stream.say)
        for message in news_of(before, now, held.subscription) if before is not None else []:
            stream.say(encode_event(message))

    async def _ask(self, stream: OpenStream, held: HeldStream, *, comment: bool) -> None:
        """Ask about the caller as any request would: while Redis is away, no announcement of its end can come."""
        held.caller = await judged_again(held.caller, held.gateway_name, held.address, self._deps)
        held.asking = False
        if stream in self._streams:
            self._go_on(stream, held, comment=comment)

    def _go_on(self, stream: OpenStream, held: HeldStream, *, comment: bool) -> None:
        if held.caller.principal is None:
            self._end(stream)
        elif comment:
            held.due = _next_comment()
            stream.say(COMMENT_KEEPALIVE)

    def _end(self, stream: OpenStream, last: bytes = b"") -> None:
        self.drop(stream)
        stream.end_stream(last)


def place_of(x: Exchange) -> str:
    """The one place that a stream takes: its session's, or that of a modern caller's request."""
    return x.session.jti if x.session is not None and x.subscription is None else x.request_id


def still_good(held: HeldStream, deps: Deps) -> bool:
    """Whether the session goes on, the gateway still takes the caller, and they were not just refused."""
    gateway = deps.gateways.held(held.gateway_name)
    session = held.session
    return (
        (session is None or not (deps.sessions.has_ended(session.jti) or session.is_over))
        and gateway is not None
        and held.caller.principal is not None
        and gateway.admits(held.caller.principal)
        and gateway.accepts(held.caller.way)
        and (held.caller.verified is None or deps.signed_tokens.is_for(held.caller.verified, gateway))
        and not deps.authority.refused_lately(held.caller.proof.digest)
    )


def _next_comment() -> float:
    """Spread, so that many streams do not speak at once."""
    return asyncio.get_running_loop().time() + between(0.7, 1.0) * KEEPALIVE_S
