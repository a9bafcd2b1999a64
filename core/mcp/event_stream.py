"""Server-sent events, both ways (WHATWG HTML, section 9.2, as far as MCP uses it).

The proxy feeds what an upstream sends, in whatever pieces it arrives, and gets whole events; what it sends
on is written by itself, one `data:` line per message, so that no trick with line ends passes through. Time-outs and
reconnecting are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT_BYTES = 1 << 20
# A call that reports progress ten thousand times is honest; a stream ten times as long is a flood.
MAX_EVENTS = 100_000

_RETRY_DIGITS = 9  # a hundred days, in milliseconds

COMMENT_KEEPALIVE: bytes = b": keep-alive\n\n"

_BOM = b"\xef\xbb\xbf"


class EventStreamFault(Exception):
    """An event stream beyond its caps; the reader that raised it must not be fed again."""


class TooManyEvents(EventStreamFault):
    """An event stream with more events than are allowed, however short they are."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `data` is the joined data lines, not checked for UTF-8; `name` is `message` by default."""

    data: bytes
    name: str = "message"


class EventReader:
    """Cut a byte stream into events, wherever its pieces begin and end.

    `max_event_bytes` bounds the lines of one event together, their field names and line ends included, and
    with it the memory held between pieces. `max_events` bounds the events of the whole stream.

    An event without the blank line that ends it is never given out, and its id does not count.
    """

    __slots__ = (
        "_at_start",
        "_data",
        "_event_bytes",
        "_id",
        "_line",
        "_max_event_bytes",
        "_max_events",
        "_name",
        "_skip_lf",
        "behind",
        "events_left",
        "last_id",
        "retry_ms",
    )

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, max_events: int = MAX_EVENTS) -> None:
        self._max_event_bytes = max_event_bytes
        self.events_left = self._max_events = max_events
        self._line = bytearray()  # the line that the last piece left open
        self._event_bytes = 0  # of the current event's finished lines
        self._data: bytes | bytearray | None = None  # one object: one a line would cost many times its bytes
        self._name = ""
        self._at_start = True
        self._skip_lf = False
        self._id = self.last_id = b""
        """Of the last event, one without data too; whoever takes the stream up says it. Empty: it has none."""
        self.retry_ms: int | None = None
        """How long the server wants that to be waited for."""
        self.behind = False
        """Whether anything has come behind the last event that was given out, a comment even."""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; return the events that they completed.

        Raises `EventStreamFault` beyond a cap; events completed earlier in the same piece are lost with it.
        """
        if not piece:
            return []
        # A piece may end between CR and LF: that CR has ended its line already.
        if self._skip_lf and piece.startswith(b"\n"):
            piece = piece[1:]
        self._skip_lf = piece.endswith(b"\r")
        first, *rest = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events: list[Event] = []
        self._line += first
        for following in rest:
            self._end_line(events)
            self._line += following
        self._check_size()
        if self._line:
            self.behind = True
        return events

    def _end_line(self, events: list[Event]) -> None:
        self._check_size()
        self.behind = True
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        if line.startswith(b":"):
            return
        self._event_bytes += len(line) + 1
        name, _, value = line.partition(b":")
        self._take_field(name, value.removeprefix(b" "))

    def _check_size(self) -> None:
        if self._event_bytes + len(self._line) > self._max_event_bytes:
            raise EventStreamFault(f"An event of the stream is longer than {self._max_event_bytes} bytes.")

    def _take_field(self, name: bytes, value: bytes) -> None:
        if name == b"data":
            self._take_data(value)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value
        elif name == b"retry" and value.isdigit() and len(value) <= _RETRY_DIGITS:
            self.retry_ms = int(value)

    def _take_data(self, value: bytes) -> None:
        data = self._data
        if data is None:
            self._data = value
            return
        if isinstance(data, bytes):
            self._data = data = bytearray(data)
        data += b"\n"
        data += value

    def _dispatch(self, events: list[Event]) -> None:
        data, name = self._data, self._name
        self._data, self._name, self._event_bytes, self.last_id = None, "", 0, self._id
        if data is None:
            return
        if self.events_left <= 0:
            raise TooManyEvents(f"The stream holds more events than the {self._max_events} that are allowed.")
        self.events_left -= 1
        events.append(Event(bytes(data), name or "message"))
        self.behind = False


def encode_event(message: bytes) -> bytes:
    """One event with `message` (JSON without line ends, as orjson writes it) on its one `data:` line.

    Raises ValueError for a line end inside: it would split the message, or forge a second event.
    """
    if b"\n" in message or b"\r" in message:
        raise ValueError("A message for an event stream must be JSON without line ends; serialise it again.")
    return b"data: " + message + b"\n\n"
