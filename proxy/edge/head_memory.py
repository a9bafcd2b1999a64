"""Heads of calls that were read and judged, to know them again: clients send the same bytes with each call, but for
the body's length.

What was judged about a head stays with it (`proxy.exchange.Judged`), so a call whose head comes again is neither read
nor judged a second time. A head is known by its peer and by the SHA-256 of its bytes without that one line's rest; of
an `arch_` token that was accepted nothing else is kept. A signed token is kept in the proof of its caller, since
control is asked with it again; so is any credential of a head that was refused before anybody looked at it. Both go
with their head, when it was not seen for one to two minutes. One per worker, since behind a reverse proxy any caller
may come on any connection. Used by `request_reader.py`.
"""

from hashlib import sha256
from typing import Final

from proxy.caches.recent import Recent
from proxy.exchange import Head

Key = tuple[str, int, bytes]
Known = tuple[bool, Head]
"""Whether the connection closes after the answer, and the head."""

Asked = tuple[Key | None, int, Known | None]
"""What to keep a head by, the length of its body, and the head if it is known."""

MOST: Final = 2048
MOST_BYTES: Final = 2048
"""How long a head may be. Read, it takes at most 15 KiB (a hundred made-up headers), and there are at most twice
`MOST`: 60 MiB were they all so, which only an overloaded worker keeps of strangers."""
_LINES: Final = (b"ontent-Length: ", b"ontent-length: ")
_BEFORE: Final = (b"\r\nC", b"\r\nc")
_MOST_DIGITS: Final = 15
_TO_DIGITS: Final = len(_LINES[0])
_NOT_KEPT: Final = (None, 0, None)


class HeadMemory:
    """One worker's memory of heads of calls that were read and judged."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Recent[Key, Known] = Recent(MOST)

    def ask(self, data: bytes, end: int, peer: str) -> Asked:
        """For the head that ends at `end`: what to keep it by, the length of its body, and the head if it is known.

        Without a key it cannot be kept, and nothing else is said. A known head is in the grammar of `head_rules`,
        and so is this one: the two differ in the digits of one length.
        """
        if end > MOST_BYTES:
            return _NOT_KEPT
        at = data.find(_LINES[0], 0, end)
        if at < 0:
            at = data.find(_LINES[1], 0, end)
        if at < 3 or data[at - 3 : at] not in _BEFORE:
            return _NOT_KEPT
        stop = data.find(b"\r\n", at, end)
        if stop < 0:
            stop = end
        digits = data[at + _TO_DIGITS : stop]
        # As strict as the grammar.
        if not digits.isdigit() or len(digits) > _MOST_DIGITS or (digits[0] == 0x30 and len(digits) > 1):
            return _NOT_KEPT
        key = (peer, at, sha256(data[:at] + data[stop:end]).digest())
        return key, int(digits), self._known.get(key)

    def heads(self) -> list[Head]:
        """All that are known."""
        return [head for _, head in self._known.values()]

    def keep(self, key: Key, head: Head, *, close: bool, refused: bool = False) -> None:
        """Keep the head of a POST with which somebody was accepted, or that an overloaded worker `refused`.

        Other strangers' are not kept: what fits in here would be theirs, and tens of megabytes of it.
        """
        judged = head.judged
        if head.method == "POST" and judged is not None and (refused or judged.caller is not None):
            self._known.put(key, (close, head))
