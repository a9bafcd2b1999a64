"""Logging: one JSON line per event, written by a thread of its own, never by the event loop.

A line is an event with fields (`log.info("snapshot swapped", extra={"gateway": slug})`), never a sentence with
values in it. Values are escaped by JSON, cut at 2 KiB, and surrogates replaced, so that no input can forge or break
a line. When the sink is slower than the events, lines are dropped and counted: calls go on.
"""

import logging
import logging.handlers
import queue
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import orjson

MAX_FIELD = 2048
_QUEUE = 10_000
# JSON lets these stand; terminals obey the C1 controls, and some readers end a line at the two separators.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0xFEFF)}
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": _clean(record.name),
            "event": _clean(record.getMessage()),
        }
        line.update((key, _clean(value)) for key, value in vars(record).items() if key not in _OWN)
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = _clean(self.formatException(record.exc_info), 4 * MAX_FIELD)
        return orjson.dumps(line).decode().translate(_ESCAPED)


class DroppingQueue(logging.handlers.QueueHandler):
    """Hands records to the writing thread; drops and counts when it lags."""

    dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never blocks."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            DroppingQueue.dropped += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Format on the writing thread: nothing to do here."""
        return record


@contextmanager
def json_logging(level: str = "INFO", sink: IO[str] | None = None) -> Iterator[None]:
    """Send the whole process's log to `sink` (standard error) for the time of the block."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue(_QUEUE)
    writer = logging.StreamHandler(sink or sys.stderr)
    writer.setFormatter(JsonLines())
    listener = logging.handlers.QueueListener(lines, writer)
    root = logging.getLogger()
    root.handlers[:] = [DroppingQueue(lines)]
    root.setLevel(level.upper())
    listener.start()
    try:
        yield
    finally:
        listener.stop()


def _clean(value: Any, longest: int = MAX_FIELD) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value if not isinstance(value, int) or abs(value) < 1 << 63 else str(value)
    text = value if isinstance(value, str) else str(value)
    raw = text.encode("utf-8", "backslashreplace")
    return raw.decode() if len(raw) <= longest else raw[:longest].decode("utf-8", "ignore") + "…"
