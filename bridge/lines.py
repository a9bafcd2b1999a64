"""Cuts what a program prints into lines, wherever its pieces begin and end, and keeps nothing of a line too long.

A line of 100 MB costs no more memory than its limit. Of one that is longer only both ends are kept, in which a
message may say whose answer it is. Pure.
"""

import re
from dataclasses import dataclass
from typing import Final

END_BYTES: Final = 256
"""Of a line too long, at each of its ends."""
# By a server that writes the members in the order in which they are defined, and by one that puts the id last. What
# stands elsewhere may be within the result, and is somebody's data.
_ID_FIRST = re.compile(rb'\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,18})\s*,')
_ID_LAST = re.compile(rb'"id"\s*:\s*(\d{1,18})\s*\}\s*\Z')


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was longer than allowed, of which only both ends are known."""

    begin: bytes
    end: bytes
    size: int
    """Bytes that it had."""

    def number(self) -> int | None:
        """The id of the answer that it was, where that can be told for certain."""
        found = _ID_FIRST.match(self.begin) or _ID_LAST.search(self.end)
        return int(found[1]) if found else None


class Lines:
    """The lines in a stream of bytes, each of at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = bytearray()
        """The line that has not ended yet; of one too long, its beginning."""
        self._size = 0
        """Bytes of the line that has not ended yet."""
        self._end = b""
        """Of a line too long, its end so far."""

    def feed(self, piece: bytes) -> list[bytes | TooLong]:
        """Take the next bytes; the lines that they ended, without their ends."""
        *ended, rest = piece.split(b"\n")
        found: list[bytes | TooLong] = []
        for part in ended:
            if not self._size and len(part) <= self._most:
                found.append(part)
                continue
            self._add(part)
            found.append(self._take())
        self._add(rest)
        return found

    def _add(self, part: bytes) -> None:
        before, self._size = self._size, self._size + len(part)
        if self._size <= self._most:
            self._open += part
            return
        if before <= self._most:
            self._end = bytes(self._open[-END_BYTES:])
        self._open += part[:END_BYTES]
        del self._open[END_BYTES:]
        self._end = (self._end + part[-END_BYTES:])[-END_BYTES:]

    def _take(self) -> bytes | TooLong:
        line = bytes(self._open)
        whole = line if self._size <= self._most else TooLong(line, self._end, self._size)
        self._open, self._size, self._end = bytearray(), 0, b""
        return whole
