"""What the bytes of one connection of the fast lane are: heads, bodies, and what comes before its turn.

Pure: no transport, no clock, no pipeline. `FastConnection` feeds it what comes and tells it what was decided; what it
returns, the `Head` of a request or a `ReaderEvent`, says what to do or to wait for now. A head is read by
`HeadMemory` or `HeadReader`. Every change of a connection's state stands in this file:

    HEAD      -> SERVING    a plain head is whole                     feed, next_head
              -> HANDING    what comes is not plain, or drips in      feed, next_head
    SERVING   -> BODY       not all of the body is there              take_body
              -> SKIPPING   nobody wants the body                     skip_body
              -> STREAMING  an event stream is held                   begin_stream
    BODY      -> SERVING    the body is whole                         take_body
    all four  -> WRITING    the caller does not read its answer       wait_for_caller
    all five  -> HEAD       answered; the next request has not come   answered
              -> NEXT       answered; it has                          answered
              -> LINGERING  answered for the last time                answered
    NEXT      -> HEAD       its turn has come                         next_head
    any       -> ENDED      nothing that comes matters any more       end, hand_over
"""

from typing import Final, NewType

from proxy.edge.head_memory import Asked, HeadMemory, Key
from proxy.edge.head_rules import END, HeadReader
from proxy.exchange import Head

HTTP_1_1: Final = (1, 1)
MOST_SEGMENTS: Final = 4
"""In how many pieces a header block may come here; a block that then is not whole is handed over."""
MOST_BEGUN: Final = 8 << 10
"""How much of a header block that is not whole yet is kept here."""
MOST_KEPT: Final = 16 << 10
"""How much may come before its turn; then reading should pause, so that no more than one read is added to it."""
MOST_BEHIND_STREAM: Final = 4 << 10
"""How much may come behind an event stream: reading never pauses there, because only a read tells that a caller left.
"""

State = NewType("State", str)
HEAD: Final = State("reading a head")
BODY: Final = State("reading a body")
SKIPPING: Final = State("reading away a body that nobody wants")
SERVING: Final = State("waiting for the pipeline")
STREAMING: Final = State("holding an event stream")
WRITING: Final = State("waiting for a caller that does not read")
NEXT: Final = State("about to read a head that is there")
LINGERING: Final = State("reading the rest of the last body, so that its sender can read why")
HANDING: Final = State("waiting to be handed over")
ENDED: Final = State("ended")

ReaderEvent = NewType("ReaderEvent", str)
HEAD_BEGUN: Final = ReaderEvent("a header block has begun: it has its time")
BODY_CAME: Final = ReaderEvent("some of the body came, how much says `came`: take it, or wait for more")
BODY_WANTED: Final = ReaderEvent("the body that nobody wants is not all there: it has its time")
SKIPPED: Final = ReaderEvent("the body that nobody wants was read")
IDLE: Final = ReaderEvent("there is no request: the connection may be silent for a while")
NEXT_CAME: Final = ReaderEvent("the next request is there: `next_head`, in its turn")
LAST_BODY_WANTED: Final = ReaderEvent("the rest of the last body is read for a moment")
OVER: Final = ReaderEvent("the last answer was given and nothing more is read: hang up")
ENOUGH: Final = ReaderEvent("enough has come before its turn: read no more for now")
TOO_MUCH: Final = ReaderEvent("more has come behind an event stream than is kept: cut the connection")
NOT_PLAIN: Final = ReaderEvent("what has come is for the other lane: `hand_over`")


class RequestReader:
    """Reads the requests of one connection, one at a time."""

    __slots__ = (
        "_body",
        "_heads",
        "_memory",
        "_segments",
        "came",
        "closes",
        "drips",
        "kept",
        "key",
        "length",
        "peer",
        "size",
        "state",
    )

    def __init__(self, heads: HeadReader, memory: HeadMemory) -> None:
        self._heads, self._memory = heads, memory
        self.peer = ""
        """The address of the other end, by which a head is known again."""
        self.state = HEAD
        self.kept = b""
        """Bytes behind what was taken already, and of a header block that is not whole."""
        self._segments = 0
        """In how many pieces what there is of a header block has come."""
        self.drips = False
        """Whether what is not plain is so for how it comes, and not for what it says."""
        self.key: Key | None = None
        """By what to `remember` the head in hand; None if it is known, or is not to be kept."""
        self._body: bytearray | None = None
        self.length = self.size = self.came = 0
        """Of the body in hand: how long it says it is, how much of it has come, and how much with the last bytes."""
        self.closes = False
        """Whether the connection ends with the answer to the request in hand."""

    @property
    def block_began(self) -> bool:
        """Whether a part of a header block was here before the last bytes came, and so its time runs already."""
        return self._segments > 1

    def feed(self, data: bytes) -> Head | ReaderEvent | None:
        """Bytes came: what to do now; None for nothing else than before."""
        state = self.state
        if state is HEAD:
            if self.kept or (end := data.find(END)) < 0:
                return self._read_head(data)
            asked = self._memory.ask(data, end, self.peer)
            known = asked[2]
            if known is None:
                return self._read_head(data, asked)
            # Nearly every request: it begins with these bytes, and its head is known.
            self.closes, head = known
            self.key, self.length, self.size = None, asked[1], 0
            self.kept, self.state = data[end + 4 :], SERVING
            return head
        if state is BODY:
            return self._read_body(data)
        if state is SKIPPING:
            return self._skip(data)
        if state is LINGERING:
            self.size += len(data)
            return OVER if self.size >= self.length else None
        if state is ENDED:
            return None
        self.kept += data
        if state is STREAMING:
            return TOO_MUCH if len(self.kept) > MOST_BEHIND_STREAM else None
        return ENOUGH if len(self.kept) > MOST_KEPT else None

    # the head

    def _read_head(self, data: bytes, asked: Asked | None = None) -> Head | ReaderEvent | None:
        seen = len(self.kept)
        if seen:
            data = self.kept + data
        self._segments += 1
        end = data.find(END, seen - 3 if seen > 3 else 0)
        if end >= 0:
            head = self._whole(data, end, asked or self._memory.ask(data, end, self.peer))
            if head is not None:
                return head
        elif self._segments >= MOST_SEGMENTS or len(data) > MOST_BEGUN:
            self.drips = True
        elif self._heads.may_become_plain(data):
            self.kept = data
            return None if seen else HEAD_BEGUN
        self.state, self.kept = HANDING, data
        return NOT_PLAIN

    def _whole(self, data: bytes, end: int, asked: Asked) -> Head | None:
        """The head that ends at `end`; None where it is not plain."""
        self.key, length, known = asked
        if known is not None:
            self.closes, head = known
            self.key = None
        else:
            plain = self._heads.read(data[:end])
            if plain is None:
                return None
            self.closes, length = plain.close, plain.length
            head = Head(plain.method, plain.target, HTTP_1_1, (), self.peer, plain.headers)
        self.length, self.size = length, 0
        self.kept, self._segments, self.state = data[end + 4 :], 0, SERVING
        return head

    def remember(self, head: Head, *, refused: bool = False) -> None:
        """Keep the head in hand, if it is new, with what was judged of it, to know it again."""
        if self.key is not None:
            self._memory.keep(self.key, head, close=self.closes, refused=refused)
            self.key = None

    # the body

    @property
    def missing(self) -> int:
        """How much of the body has not come with the head; negative where more than the body has."""
        return self.length - len(self.kept)

    def take_body(self) -> bytes | None:
        """The body, if it is whole; else each further part of it is told as `BODY_CAME`."""
        length = self.length
        if self.state is SERVING:
            kept = self.kept
            if len(kept) >= length:
                self.came = self.size = length
                self.kept = kept[length:]
                return kept[:length]
            self.came = self.size = len(kept)
            self.state, self._body, self.kept = BODY, bytearray(kept), b""
            return None
        if self.size < length or self._body is None:
            return None
        body, self._body = bytes(self._body), None
        self.state = SERVING
        return body

    def has_given_body(self) -> None:
        """As `take_body`, by who has found in `kept` that the body is whole, and has it."""
        length = self.length
        self.came = self.size = length
        self.kept = self.kept[length:]

    def skip_body(self) -> ReaderEvent:
        """Nobody wants the body: `SKIPPED` at once, or told when it was read."""
        missing, self.kept = self.missing, self.kept[self.length :]
        self.size = self.length - max(missing, 0)
        self.state = SKIPPING
        return BODY_WANTED if missing > 0 else SKIPPED

    def _read_body(self, data: bytes) -> ReaderEvent:
        assert self._body is not None
        wanted = self.length - self.size
        if len(data) > wanted:
            data, self.kept = data[:wanted], data[wanted:]
        self._body += data
        self.came = len(data)
        self.size += len(data)
        return BODY_CAME

    def _skip(self, data: bytes) -> ReaderEvent | None:
        wanted = self.length - self.size
        self.size += min(len(data), wanted)
        if self.size < self.length:
            return None
        self.kept += data[wanted:]
        return SKIPPED

    # the answer, and what comes after it

    def begin_stream(self) -> bool:
        """The answer is an event stream that stays open; False, and nothing done, where too much stands behind it."""
        if len(self.kept) > MOST_BEHIND_STREAM:
            return False
        self.state = STREAMING
        return True

    def wait_for_caller(self) -> None:
        """The answer was written and is not with the transport yet."""
        if self.state is not ENDED:
            self.state = WRITING

    def answered(self) -> ReaderEvent:
        """The answer is with the transport: what comes next."""
        self._body = None
        if self.state is ENDED:
            return OVER
        if self.closes:
            self.state, self.size, self.kept = LINGERING, self.size + len(self.kept), b""
            return OVER if self.size >= self.length else LAST_BODY_WANTED
        if self.kept:
            self.state = NEXT
            return NEXT_CAME
        self.state = HEAD
        return IDLE

    def next_head(self) -> Head | ReaderEvent | None:
        """Read on with what was kept, unless the connection has ended meanwhile; as `feed`."""
        if self.state is not NEXT:
            return None
        data, self.kept, self.state = self.kept, b"", HEAD
        return self._read_head(data)

    def hand_over(self) -> bytes:
        """Everything from the first byte of a request that is not plain; nothing is read here any more."""
        data = self.kept
        self.end()
        return data

    def end(self) -> None:
        """Nothing is read here any more."""
        self.state, self.kept, self._body = ENDED, b"", None
