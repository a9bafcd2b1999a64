"""One answer of an upstream, read from its bytes: the head judged, the body kept until it is fetched, the end known.

`pool_connection` feeds it what comes from the socket. No I/O, no clock. Each answer has a parser of its own, so that
nothing of one caller's answer is left for the next. llhttp reads the lines; where a message ends, and what may stand
behind it, is decided here (RFC 9112 section 6.3).

What is left out: waiting, back-pressure, and what becomes of the connection.
"""

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from core.egress_faults import UpstreamFault

MAX_LINE_BYTES = 8190
MAX_HEADERS = 128
MAX_HEAD_BYTES = 64 * 1024
MAX_INTERIM = 64
"""Answers with a status below 200 before the real one."""
MAX_IDLE_SECONDS = 4.0
_MAX_CHUNK_EXTRAS = 64 * 1024
"""Bytes of chunk sizes, extensions and trailers in a row, without a byte of the body between."""

_HEAD_END = b"\r\n\r\n"
_BEGINNINGS = (b"HTTP/1.1 ", b"HTTP/1.0 ")
# Headers that decide something here or in `answers` and `sessions`: two different values would be two meanings.
_JUDGED = frozenset(
    {b"content-length", b"transfer-encoding", b"content-encoding", b"content-type", b"mcp-session-id"}
)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_NO_BODY = frozenset({204, 304})
_KEEP_ALIVE_TIMEOUT = re.compile(rb"(?:^|[,;\s])timeout=([0-9]{1,9})", re.IGNORECASE)


def broken(detail: str) -> UpstreamFault:
    """The fault of an answer that cannot be one."""
    return UpstreamFault("broken", sent=True, detail=detail)


class ReceivedAnswer:
    """What has come of one answer so far. `feed` it bytes, and `end` it when the far side ends the connection."""

    __slots__ = (
        "_begun",
        "_extras",
        "_found",
        "_head_parser",
        "_interim",
        "_keeps",
        "_left",
        "_parser",
        "_pieces",
        "_repeated",
        "_tail",
        "buffered",
        "complete",
        "content_length",
        "status",
        "surplus",
    )

    def __init__(self) -> None:
        self.status = 0
        """Of the final answer; 0 until its head is whole."""
        self.content_length: int | None = None
        self.complete = False
        self.surplus = False
        """More bytes came than the answer has."""
        self.buffered = 0
        """Bytes of the body that wait to be fetched."""
        self._pieces: list[bytes] = []
        self._found: dict[bytes, bytes] = {}
        self._repeated = False
        self._begun = b""
        self._interim = 0
        self._keeps = False
        self._head_parser: HttpResponseParser | None = None
        self._left: int | None = None
        self._parser: HttpResponseParser | None = None
        self._tail = b""
        self._extras = 0

    def header(self, name: str) -> str | None:
        """The first value of a header of the final answer; `name` is lower case."""
        value = self._found.get(name.encode())
        return None if value is None else value.decode("latin-1")

    @property
    def sound(self) -> bool:
        """Whether another request may follow on this connection, as far as the answer itself says."""
        return self.complete and self._keeps and not self.surplus

    @property
    def idle_seconds(self) -> float:
        """How long the connection may lie idle: at most 4 s, and a second less than the server says."""
        said = _KEEP_ALIVE_TIMEOUT.search(self._found.get(b"keep-alive", b""))
        return MAX_IDLE_SECONDS if said is None else min(MAX_IDLE_SECONDS, int(said[1]) - 1.0)

    def feed(self, data: bytes) -> None:
        """The next bytes of the connection. Raises UpstreamFault for what is no acceptable answer."""
        if self.complete:
            self.surplus = True
            return
        if not self.status:
            data = self._take_heads(data)
        if data:
            self._take_body(data)

    def end(self) -> None:
        """The far side ended the connection in order. Raises UpstreamFault if the answer lacks something."""
        if self.complete:
            return
        if not self.status:
            raise broken("the server closed the connection before its answer")
        if self._left is not None or self._parser is not None:
            raise broken("the server closed the connection inside its answer")
        self.complete = True

    def fetch(self) -> bytes:
        """What is buffered of the body."""
        pieces = self._pieces
        if not pieces:
            return b""
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self.buffered = [], 0
        return body

    def _take_heads(self, data: bytes) -> bytes:
        """Read interim heads and the final one; returns what stands behind it."""
        data = self._begun + data if self._begun else data
        while data and not self.status:
            end = data.find(_HEAD_END) + len(_HEAD_END)
            if end < len(_HEAD_END):
                _judge_unfinished(data)
                self._begun = data
                return b""
            self._begun = b""
            self._take_head(data[:end])
            data = data[end:]
        return data

    def _take_head(self, block: bytes) -> None:
        _judge_block(block)
        self._found, self._repeated = {}, False
        self._head_parser = parser = HttpResponseParser(self)
        try:
            parser.feed_data(block)
        except HttpParserUpgrade:
            raise broken("status 101 is no final answer") from None
        except HttpParserError as error:
            raise broken(f"{type(error).__name__}: {error}") from None
        finally:
            self._head_parser = None
        if self._repeated:
            raise broken("a header that decides stands twice with two meanings")
        status = parser.get_status_code()
        if status < 200:
            self._pass_over(status)
        else:
            self._frame(status, parser)

    def _pass_over(self, status: int) -> None:
        """An interim answer (RFC 9110 section 15.2): it says nothing, and has no body."""
        self._interim += 1
        if status < 100 or status == 101 or self._interim > MAX_INTERIM or not _FRAMING.isdisjoint(self._found):
            raise broken(f"status {status} is no final answer")

    def _frame(self, status: int, parser: HttpResponseParser) -> None:
        """Where the body ends, and whether the connection lives on after it."""
        found = self._found
        length, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
        packed = found.get(b"content-encoding")
        if packed is not None and packed.strip().lower() not in {b"", b"identity"}:
            # We asked for identity. Inflating what somebody else packed is how a kilobyte becomes a gigabyte.
            raise broken(f"the body is packed as {packed.decode('latin-1')}, which was not asked for")
        if coding is not None and (length is not None or coding.lower() != b"chunked" or status in _NO_BODY):
            raise broken("the answer's Transfer-Encoding is not chunked alone")
        self.status = status
        if coding is not None:
            self._parser = parser
            return
        if length is not None:
            self.content_length = self._left = int(length)
        if status in _NO_BODY:
            self._keeps = self._keeps and not self._left
            self.content_length = self._left = 0
        self.complete = self._left == 0

    def _take_body(self, data: bytes) -> None:
        if self._parser is not None:
            self._take_chunks(self._parser, data)
            return
        left = self._left
        if left is None:
            self._keep(data)
            return
        if len(data) > left:
            self.surplus = True
            data = data[:left]
        if data:
            self._keep(data)
        self._left = left - len(data)
        self.complete = self._left == 0

    def _take_chunks(self, parser: HttpResponseParser, data: bytes) -> None:
        before = self.buffered
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise broken(f"{type(error).__name__}: {error}") from None
            self.surplus = True
        self._tail = (self._tail + data)[-5:]
        if self.complete:
            # llhttp passes over line ends between messages. A last chunk or trailer line, and the empty line: more
            # than these is more than the answer.
            self.surplus = self.surplus or self._tail[1:] != _HEAD_END or self._tail[0] in b"\r\n"
            self._parser = None
            return
        self._extras = 0 if self.buffered > before else self._extras + len(data)
        if self._extras > _MAX_CHUNK_EXTRAS:
            raise broken("chunks without content have no end")

    def _keep(self, data: bytes) -> None:
        self._pieces.append(data)
        self.buffered += len(data)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Behind the last chunk another message begins."""
        self.surplus = self.surplus or self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line; of chunk trailers nothing is believed."""
        if self._head_parser is None:
            return
        name = name.lower()
        found = self._found
        if name not in found:
            found[name] = value
        elif name in _FRAMING or (name in _JUDGED and found[name] != value):
            self._repeated = True

    def on_headers_complete(self) -> None:
        """The only moment at which llhttp knows whether the connection is meant to live on."""
        if self._head_parser is not None:
            self._keeps = self._head_parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Content of a chunk."""
        if not self.complete:
            self._keep(data)

    def on_message_complete(self) -> None:
        """The end of the last chunk; called after a head without a body too."""
        self.complete = self._parser is not None or self.complete


def _judge_block(block: bytes) -> None:
    if not block.startswith(_BEGINNINGS):
        raise broken("the answer is not HTTP/1.1 or HTTP/1.0")
    if block.count(b"\r\n") - 2 > MAX_HEADERS:
        raise broken(f"the answer has more than {MAX_HEADERS} headers")
    if len(block) > MAX_LINE_BYTES and max(map(len, block.split(b"\r\n"))) > MAX_LINE_BYTES:
        raise broken(f"a line of the answer's head is longer than {MAX_LINE_BYTES} bytes")
    if len(block) > MAX_HEAD_BYTES:
        raise broken(f"the answer's head is longer than {MAX_HEAD_BYTES} bytes")


def _judge_unfinished(head: bytes) -> None:
    """Fail at once where no further byte could make it a head."""
    if not any(head.startswith(beginning[: len(head)]) for beginning in _BEGINNINGS):
        raise broken("the answer is not HTTP/1.1 or HTTP/1.0")
    if b"\n\n" in head:
        raise broken("the answer's lines end in bare line feeds")
    _judge_block(head if len(head) > MAX_LINE_BYTES else _BEGINNINGS[0])
