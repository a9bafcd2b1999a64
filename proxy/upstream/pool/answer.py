"""One answer of an upstream, read from its bytes: its head, the body kept until it is fetched, and where it ends.

`connection.py` feeds it what comes from the socket. No I/O, no clock. Chunks are read by a parser of the answer's
own, so that nothing of one caller's answer is left for the next. What is left out: waiting, back-pressure, and what
becomes of the connection.
"""

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from proxy.upstream.pool.head import HEAD_END, KnownHeads, ReceivedHead, UnfinishedHead, broken

MAX_INTERIM = 64
"""Answers with a status below 200 before the real one."""
_MAX_CHUNK_EXTRAS = 64 * 1024
"""Bytes of chunk sizes, extensions and trailers beyond twice the content that came with them.

A server that writes JSON token by token has chunks of three or four bytes, each in a frame of five."""
_SMALL_PIECE = 4096
"""Bytes below which a piece of the body is joined to the one before: an object for each costs more than it holds."""


class ReceivedAnswer:
    """What has come of one answer so far. `feed` it bytes, and `end` it when the far side ends the connection."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_extras",
        "_heads",
        "_interim",
        "_left",
        "_pieces",
        "_tail",
        "buffered",
        "complete",
        "head",
        "status",
        "surplus",
    )

    def __init__(self, heads: KnownHeads) -> None:
        self._heads = heads
        self.status = 0
        """Of the final answer; 0 until its head is whole."""
        self.head: ReceivedHead | None = None
        self.complete = False
        self.surplus = False
        """Whether more bytes came than the answer has."""
        self.buffered = 0
        """Bytes of the body that wait to be fetched."""
        self._pieces: list[bytes | bytearray] = []
        self._begun: UnfinishedHead | None = None
        self._interim = 0
        self._left: int | None = None
        self._chunks: HttpResponseParser | None = None
        self._tail = b""
        self._extras = 0

    def header(self, name: str) -> str | None:
        """The first value of a header of the final answer; `name` is lower case."""
        value = None if self.head is None else self.head.headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    @property
    def content_length(self) -> int | None:
        """Bytes of the body, if the head says so."""
        return None if self.head is None else self.head.length

    @property
    def idle_seconds(self) -> float:
        """How long the connection may lie idle now; 0 or less if it must not carry another request."""
        usable = self.complete and not self.surplus and self.head is not None and self.head.keeps
        return self.head.idle_seconds if usable and self.head is not None else 0.0

    def feed(self, data: bytes) -> None:
        """The next bytes of the connection. Raises UpstreamFault for what is no acceptable answer."""
        if self.complete:
            self.surplus = True
            return
        if not self.status:
            if self._is_all(data):
                return
            data = self._take_heads(data)
        if data:
            self._take_body(data)

    def end(self) -> None:
        """The far side ended the connection in order. Raises UpstreamFault if the answer lacks something."""
        if self.complete:
            return
        if not self.status:
            raise broken("the server closed the connection before its answer")
        if self._left is not None or self._chunks is not None:
            raise broken("the server closed the connection inside its answer")
        self.complete = True

    def peek(self, start: int) -> bytes:
        """What is buffered of the body from there on; it stays so."""
        pieces, wanted = [], self.buffered - start
        for piece in reversed(self._pieces):
            if wanted <= 0:
                break
            pieces.append(piece[-wanted:] if len(piece) > wanted else piece)
            wanted -= len(piece)
        return b"".join(reversed(pieces))

    def fetch(self) -> bytes:
        """What is buffered of the body."""
        pieces = self._pieces
        if not pieces:
            return b""
        body = bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self.buffered = [], 0
        return body

    def let_go(self) -> None:
        """Nobody reads on: hold neither the body nor the parser, which knows this answer."""
        self._pieces, self.buffered, self._chunks = [], 0, None

    def _is_all(self, data: bytes) -> bool:
        """Take an answer that came in one piece behind a head that is known: nearly all answers are that."""
        end = data.find(HEAD_END) + len(HEAD_END)
        head = self._heads.known(data[:end]) if self._begun is None else None
        if head is None or head.status < 200 or head.length != len(data) - end:
            return False
        self.head, self.status, self.buffered = head, head.status, head.length
        self._pieces.append(data[end:])
        self._left, self.complete = 0, True
        return True

    def _take_heads(self, data: bytes) -> bytes:
        """Read interim heads and the final one; returns what stands behind it."""
        if self._begun is not None:
            if not self._begun.add(data):
                return b""
            data, self._begun = self._begun.whole(), None
        while data and not self.status:
            end = data.find(HEAD_END) + len(HEAD_END)
            if end < len(HEAD_END):
                self._begun = UnfinishedHead()
                self._begun.add(data)
                return b""
            self._take_head(data[:end])
            data = data[end:]
        return data

    def _take_head(self, block: bytes) -> None:
        head = self._heads.read(block)
        if head.status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise broken(f"more than {MAX_INTERIM} answers with a status below 200")
            return
        self.head, self.status, self._left = head, head.status, head.length
        self.complete = head.length == 0
        if head.chunked:
            self._chunks = HttpResponseParser(self)
            self._chunks.feed_data(block)

    def _take_body(self, data: bytes) -> None:
        if self._chunks is not None:
            self._take_chunks(self._chunks, data)
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
            self.surplus = self.surplus or self._tail[1:] != HEAD_END or self._tail[0] in b"\r\n"
            self._chunks = None
            return
        content = self.buffered - before
        self._extras = max(0, self._extras + len(data) - 3 * content)
        if self._extras > _MAX_CHUNK_EXTRAS:
            raise broken("the frames of the chunks are far longer than their content")

    def _keep(self, data: bytes) -> None:
        self.buffered += len(data)
        pieces = self._pieces
        if not pieces or len(data) >= _SMALL_PIECE:
            pieces.append(data)
            return
        last = pieces[-1]
        if isinstance(last, bytearray):
            last += data
        else:
            pieces.append(bytearray(data))

    # What the parser of chunks calls. It is not told of trailers: nothing in them is believed.

    def on_message_begin(self) -> None:
        """The answer begins; or another one, behind the last chunk."""
        self.surplus = self.surplus or self.complete

    def on_body(self, data: bytes) -> None:
        """Content of a chunk."""
        if not self.complete:
            self._keep(data)

    def on_message_complete(self) -> None:
        """The end of the last chunk."""
        self.complete = True
