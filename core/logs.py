"""Logging: one JSON line per event, written by a thread of its own, never by the event loop.

A line is an event with fields (`log.info("snapshot swapped", extra={"gateway": slug})`), never a sentence with
values in it. Values are escaped by JSON, cut at 2 KiB, and surrogates replaced, so that no input can forge or break
a line. When the sink is slower than the events, lines are dropped and counted: calls go on.
"""

import io
import logging
import logging.handlers
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import orjson

MAX_FIELD = 2048
_QUEUE = 10_000
END_WITHIN_S = 2.0
"""How long the end of a process waits for a sink to take what is left."""
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

    def __init__(self, lines: "queue.Queue[logging.LogRecord | None]") -> None:
        super().__init__(lines)
        self.dropped = 0
        """Lines that were not written: the queue was full, or nobody reads the sink any more."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue the record, or drop and count it where the queue is full; never blocks."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Format on the writing thread: nothing to do here."""
        return record


@contextmanager
def json_logging(level: str = "INFO", sink: IO[str] | None = None) -> Iterator[None]:
    """Send the whole process's log to `sink` (standard error) for the time of the block."""
    lines: queue.Queue[logging.LogRecord | None] = queue.Queue(_QUEUE)
    root = logging.getLogger()
    waiting = DroppingQueue(lines)
    root.handlers[:] = [waiting]
    root.setLevel(level.upper())
    writer = _Writer(lines, waiting, sink or _standard_error())
    try:
        yield
    finally:
        writer.stop(END_WITHIN_S)


def lines_dropped() -> int:
    """How many lines of this process's log were dropped; 0 where `json_logging` does not write it."""
    return sum(one.dropped for one in logging.getLogger().handlers if isinstance(one, DroppingQueue))


class _Writer:
    """The thread that writes. The end of a process does not wait for a sink that takes nothing: it is a daemon, and
    holds no lock of the logging package or of the standard streams while it writes.
    """

    def __init__(self, lines: "queue.Queue[logging.LogRecord | None]", waiting: DroppingQueue, sink: IO[str]) -> None:
        self._lines, self._waiting, self._sink = lines, waiting, sink
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Write what still waits, for at most `within_s`."""
        deadline = time.monotonic() + within_s
        try:
            self._lines.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _write(self) -> None:
        form = JsonLines()
        while (record := self._lines.get()) is not None:
            try:
                line = form.format(record)
            except Exception as error:  # noqa: BLE001 (a value may raise anything; a bug where it was made)
                why = f"{record.pathname}:{record.lineno} {type(error).__name__}"
                line = form.format(logging.makeLogRecord({"levelname": "ERROR", "msg": "a bad log line", "why": why}))
            try:
                self._sink.write(line + "\n")
                self._sink.flush()
            except (OSError, ValueError):  # nobody is at the other end any more
                self._waiting.dropped += 1


def _standard_error() -> IO[str]:
    """Without a buffer, and so without the lock of one that the end of the interpreter would wait for."""
    if sys.stderr is not sys.__stderr__:
        return sys.stderr
    raw = io.FileIO(2, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


def _clean(value: Any, longest: int = MAX_FIELD) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value if not isinstance(value, int) or abs(value) < 1 << 63 else str(value)
    text = value if isinstance(value, str) else str(value)
    raw = text.encode("utf-8", "backslashreplace")
    return raw.decode() if len(raw) <= longest else raw[:longest].decode("utf-8", "ignore") + "…"
