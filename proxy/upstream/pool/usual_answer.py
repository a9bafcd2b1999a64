"""The answer that nearly all servers send, found in its bytes without an object for it.

It is a success with a head that came before, and either one piece of data of a known length, or an event stream whose
first chunk is whole. `connection.py` asks while a taker waits for the answer; whatever is not certain is read by
`answer.py`, from its first byte.
"""

from typing import Final

from proxy.upstream.pool.head import ReceivedHead

LAST_CHUNK: Final = b"0\r\n\r\n"
MOST_BEGUN: Final = 64 * 1024
"""Bytes of an answer that are kept until it is whole; a longer one is read as it comes."""
MOST_PIECES: Final = 8
"""In how many pieces it may come: each is joined to those before."""
_MOST_DIGITS: Final = 5
"""Of the length of a chunk."""
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_BEFORE_END: Final = frozenset({b"", b"\r"})
"""What may stand behind the content of a chunk that is not whole."""


def first_chunk(data: bytes, start: int) -> tuple[bytes, int] | None:
    """Content of the chunk that begins at `start`, and where the next one begins; None where it is not whole.

    A chunk has no extensions here, and some content (RFC 9112 section 7.1).
    """
    stop = data.find(b"\r\n", start, start + _MOST_DIGITS + 2)
    if stop <= start:
        return None
    digits = data[start:stop]
    if not _HEX.issuperset(digits):
        return None
    size = int(digits, 16)
    begin, end = stop + 2, stop + 2 + size
    if not size or data[end : end + 2] != b"\r\n":
        return None
    return data[begin:end], end + 2


def may_become_usual(data: bytes, start: int, head: ReceivedHead) -> bool:
    """Whether an answer that is not whole may yet be the usual one; `start`: where its body begins.

    What is not read now is read later where nobody looks for a fault: all of it must be right as far as it came.
    """
    came = len(data) - start
    if head.plain:
        return head.length is not None and came < head.length <= MOST_BEGUN
    if not head.chunked or came > MOST_BEGUN:
        return False
    stop = data.find(b"\r\n", start, start + _MOST_DIGITS + 2)
    if stop < 0:
        digits = data[start:].removesuffix(b"\r") if came > 1 else data[start:]
        return len(digits) <= _MOST_DIGITS and _HEX.issuperset(digits)
    digits = data[start:stop]
    size = int(digits, 16) if stop > start and _HEX.issuperset(digits) else 0
    return size > 0 and data[stop + 2 + size :] in _BEFORE_END
