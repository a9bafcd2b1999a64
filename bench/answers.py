"""Reading HTTP answers from a raw connection: how long is the first of them, and what does its head say?

Only what answers to our own requests need: a length, chunks, or neither. Used by the load generators.
"""

CHUNKS_END = b"0\r\n\r\n"


class Answers:
    """Bytes of one connection that has one request under way; gives the answer once it is whole."""

    __slots__ = ("_held", "_needed", "body_at", "chunked", "head")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """The next bytes begin another answer."""
        self._held, self._needed, self.chunked = b"", 0, False
        self.head, self.body_at = b"", 0

    def feed(self, data: bytes) -> bytes | None:
        """The whole answer as it came, or None until it is there. More than one answer raises ValueError."""
        held = self._held = self._held + data if self._held else data
        if not self.head and not self._begun(held):
            return None
        if self.chunked:
            return held if held.endswith(CHUNKS_END) else None
        if len(held) > self._needed:
            raise ValueError("bytes behind the answer")
        return held if len(held) == self._needed else None

    def _begun(self, held: bytes) -> bool:
        end = held.find(b"\r\n\r\n")
        if end < 0:
            return False
        self.head, self.body_at = held[:end].lower(), end + 4
        at = self.head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._needed = end + 4 + int(self.head[at + 17 :].split(b"\r\n", 1)[0])
        elif b"\r\ntransfer-encoding: chunked" in self.head:
            self.chunked = True
        else:
            self._needed = end + 4
        return True

    @property
    def status(self) -> bytes:
        """Three digits."""
        return self.head[9:12]

    @property
    def closes(self) -> bool:
        """Whether the server ends the connection after this answer."""
        return b"\r\nconnection: close" in self.head
