"""The head of an upstream's answer, judged: its status, how long the body is, and what becomes of the connection.

llhttp reads the lines; limits, framing (RFC 9112 section 6.3) and what must not stand twice are decided here. It is a
function of the bytes, so a head that came before is not read again: servers repeat theirs for every answer of one
second. `answer.py` uses it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from core.egress.faults import UpstreamFault
from proxy.caches.usual import remember

MAX_LINE_BYTES = 16 * 1024
MAX_HEADERS = 128
MAX_HEAD_BYTES = 64 * 1024
MAX_IDLE_SECONDS = 4.0
HEAD_END = b"\r\n\r\n"

_BEGINNINGS = (b"HTTP/1.1 ", b"HTTP/1.0 ")
_NOT_HTTP = "the answer is not HTTP/1.1 or HTTP/1.0"
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
# Headers that decide something here or in `answers` and `sessions`: two different values would be two meanings.
_JUDGED = _FRAMING | {b"content-encoding", b"content-type", b"mcp-session-id"}
_NO_BODY = frozenset({204, 304})
# We ask for identity, and some servers compress all the same; its reader inflates it, up to the answer's cap.
INFLATED = frozenset({"gzip", "x-gzip", "deflate"})
_KEEP_ALIVE_TIMEOUT = re.compile(rb"(?:^|[,;\s])timeout=([0-9]{1,9})", re.IGNORECASE)

_MAX_KNOWN = 256
_MAX_KNOWN_BYTES = 512
# Only heads of nothing but these are remembered: any other header may hold somebody's secret.
_HARMLESS = _FRAMING | {
    b"content-type",
    b"date",
    b"server",
    b"connection",
    b"keep-alive",
    b"cache-control",
    b"vary",
    b"x-accel-buffering",  # with every event stream of the usual servers
}


def broken(detail: str) -> UpstreamFault:
    """The fault of an answer that cannot be one."""
    return UpstreamFault("broken", sent=True, detail=detail)


@dataclass(frozen=True, slots=True)
class ReceivedHead:
    """The head of an upstream's answer: a final one, or an interim one with a status below 200."""

    status: int
    headers: dict[bytes, bytes]
    """First value by lower-case name. Not to be changed."""
    length: int | None
    """Bytes of the body; None: in chunks, or to the end of the connection."""
    chunked: bool
    keeps: bool
    """Whether the connection may carry another request after this answer."""
    idle_seconds: float
    """How long it may lie idle then: at most 4 s, and a second less than the server says."""
    plain: bool = False
    """Whether it is a success whose body is one piece of data: no event stream, and not compressed."""
    streams: bool = False
    """Whether it is a success whose body is an event stream, not compressed."""


class KnownHeads:
    """Reads the heads of answers, and knows those again that came before. A pool has one for all its connections."""

    __slots__ = ("_known", "known")

    def __init__(self) -> None:
        self._known: dict[bytes, ReceivedHead] = {}
        self.known: Callable[[bytes], ReceivedHead | None] = self._known.get
        """The head in these bytes, if it was read before."""

    def read(self, block: bytes) -> ReceivedHead:
        """A head, from its status line to the empty line. Raises UpstreamFault for what is no acceptable one."""
        known = self._known.get(block)
        if known is not None:
            return known
        head = _Reader().read(block)
        if len(block) <= _MAX_KNOWN_BYTES and head.headers.keys() <= _HARMLESS:
            remember(self._known, block, head, _MAX_KNOWN)
        return head


class UnfinishedHead:
    """A head that comes in pieces. Each byte is judged once, so that pieces of one byte do not cost much."""

    __slots__ = ("_block", "_line", "_lines")

    def __init__(self) -> None:
        self._block = bytearray()
        self._line = 0  # where the line begins that has no end yet
        self._lines = 0

    def add(self, data: bytes) -> bool:
        """Whether these bytes make it whole. Raises UpstreamFault where no further byte could make it a head."""
        block = self._block
        before = len(block)
        seen = max(0, before - len(HEAD_END) + 1)
        block += data
        if block.find(HEAD_END, seen) >= 0:
            return True
        if before < len(_BEGINNINGS[0]) and not any(block.startswith(one[: len(block)]) for one in _BEGINNINGS):
            raise broken(_NOT_HTTP)
        if block.find(b"\n\n", seen) >= 0:
            raise broken("the answer's lines end in bare line feeds")
        self._judge_lines(max(self._line, seen))
        return False

    def whole(self) -> bytes:
        """All bytes so far, with what came behind the head."""
        return bytes(self._block)

    def _judge_lines(self, seen: int) -> None:
        block = self._block
        end = block.find(b"\r\n", seen)
        while end >= 0:
            _judge_sizes(self._lines, end - self._line, end)
            self._lines += 1
            self._line = end + 2
            end = block.find(b"\r\n", self._line)
        _judge_sizes(self._lines - 1, len(block) - self._line - block.endswith(b"\r"), len(block))


class _Reader:
    """Reads one head of an answer with llhttp's callbacks."""

    def __init__(self) -> None:
        self._found: dict[bytes, bytes] = {}
        self._repeated = self._keeps = False

    def read(self, block: bytes) -> ReceivedHead:
        _judge_block(block)
        self._parser = HttpResponseParser(self)
        try:
            self._parser.feed_data(block)
            status = self._parser.get_status_code()
        except HttpParserUpgrade:
            raise broken("status 101 is not a final answer") from None
        except HttpParserError as error:
            raise broken(f"{type(error).__name__}: {error}") from None
        finally:
            del self._parser  # it knows us, and we knew it
        if self._repeated:
            raise broken("a header that decides stands twice with two meanings")
        return self._interim(status) if status < 200 else self._final(status)

    def _interim(self, status: int) -> ReceivedHead:
        """An answer before the answer (RFC 9110 section 15.2): it says nothing, and has no body."""
        if status < 100 or status == 101 or not _FRAMING.isdisjoint(self._found):
            raise broken(f"status {status} is not a final answer")
        return ReceivedHead(status, {}, 0, chunked=False, keeps=True, idle_seconds=0.0)

    def _final(self, status: int) -> ReceivedHead:
        found, keeps = self._found, self._keeps
        packed = found.get(b"content-encoding", b"").strip().lower()
        plain = packed in {b"", b"identity"}
        if not plain and packed.decode("latin-1") not in INFLATED:
            raise broken(f"the body is compressed as {packed.decode('latin-1')}, which was not asked for")
        said, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
        if coding is not None and (said is not None or coding.lower() != b"chunked" or status in _NO_BODY):
            raise broken("the answer's Transfer-Encoding is not chunked alone")
        length = None if said is None else int(said)
        if status in _NO_BODY:
            keeps, length = keeps and not length, 0
        timeout = _KEEP_ALIVE_TIMEOUT.search(found.get(b"keep-alive", b""))
        idle = MAX_IDLE_SECONDS if timeout is None else min(MAX_IDLE_SECONDS, int(timeout[1]) - 1.0)
        streams = found.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"text/event-stream"
        well = plain and 200 <= status < 300
        return ReceivedHead(
            status,
            found,
            length,
            chunked=coding is not None,
            keeps=keeps,
            idle_seconds=idle,
            plain=well and not streams,
            streams=well and streams,
        )

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line."""
        name = name.lower()
        found = self._found
        if name not in found:
            found[name] = value
        elif name == b"connection":
            found[name] += b"," + value
        elif name in _FRAMING or (name in _JUDGED and found[name] != value):
            self._repeated = True

    def on_headers_complete(self) -> None:
        """The only moment at which llhttp knows whether the connection is meant to live on."""
        said = {option.strip() for option in self._found.get(b"connection", b"").lower().split(b",")}
        # In HTTP/1.0 llhttp passes over "close" beside "keep-alive".
        self._keeps = self._parser.should_keep_alive() and b"close" not in said


def _judge_block(block: bytes) -> None:
    if not block.startswith(_BEGINNINGS):
        raise broken(_NOT_HTTP)
    longest = max(map(len, block.split(b"\r\n"))) if len(block) > MAX_LINE_BYTES else 0
    _judge_sizes(block.count(b"\r\n") - 2, longest, len(block))


def _judge_sizes(headers: int, line_bytes: int, head_bytes: int) -> None:
    if headers > MAX_HEADERS:
        raise broken(f"the answer has more than {MAX_HEADERS} headers")
    if line_bytes > MAX_LINE_BYTES:
        raise broken(f"a line of the answer's head is longer than {MAX_LINE_BYTES} bytes")
    if head_bytes > MAX_HEAD_BYTES:
        raise broken(f"the answer's head is longer than {MAX_HEAD_BYTES} bytes")
