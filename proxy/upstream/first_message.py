"""The first message of an event stream, looked for while the stream comes. Nothing is taken from the answer.

For `sent_call`: where this message answers the call, nothing else of the stream is of interest. Where it does not, or
where there is none, a reader that begins at the stream's beginning (`answers`) finds every byte of it.
"""

from core.mcp.event_stream import EventReader, EventStreamFault
from proxy.upstream.answers import MAX_EVENTS, MESSAGE
from proxy.upstream.pool.answer import ReceivedAnswer


class FirstMessage:
    """Looks for the first message of an event stream. `cap_bytes` bounds an event, as for a reader of the stream."""

    __slots__ = ("_alone", "_answer", "_looked", "_reader", "data")

    def __init__(self, answer: ReceivedAnswer, cap_bytes: int) -> None:
        self._answer, self._looked, self._alone = answer, 0, False
        self._reader = EventReader(max_event_bytes=cap_bytes, max_events=MAX_EVENTS)
        self.data: bytes | None = None
        """The message as it stands in its event, once that is whole; empty where the stream is beyond its caps."""

    def look(self) -> bool:
        """Look at what came since the last look; whether the message is known. An event of another type is none."""
        if self.data is None:
            new = self._answer.peek(self._looked)
            self._looked += len(new)
            try:
                found = [event.data for event in self._reader.feed(new) if event.data and event.name == MESSAGE]
            except EventStreamFault:
                found = [b""]
            if found:
                self.data, self._alone = found[0], len(found) == 1 and not self._reader.behind
        return self.data is not None

    @property
    def has_id(self) -> bool:
        """Whether an event had one up to now: then a stream that ends may be taken up behind it."""
        return bool(self._reader.last_id)

    @property
    def is_alone(self) -> bool:
        """Whether nothing came behind it, up to now. To be asked before anything is taken from the answer."""
        return self._alone and self._looked == self._answer.buffered
