"""Heads of calls that were read and judged, to know them again: clients send the same bytes with each call, but for
the body's length.

What was judged about a head stays with it (`proxy.exchange.Judged`), so a call whose head comes again is neither read
nor judged a second time. A head is known by its peer and by the SHA-256 of its bytes without that one line's rest; of
an `arch_` token that was accepted nothing else is kept. A signed token is kept in the proof of its caller, since
control is asked with it again; so is any credential of a head that was refused before anybody looked at it. Both go
with their head, when it was not seen for one to two minutes. One per worker, since behind a reverse proxy any caller
may come on any connection. Heads differ in size, as tokens of providers are long: what they keep is bounded in bytes.
Used by `request_reader.py`.
"""

from hashlib import sha256
from sys import getsizeof
from typing import Final

from core.resolve import JwtProof
from proxy.caches.recent import Recent
from proxy.edge.head_rules import REMEMBERED
from proxy.exchange import Head

Key = tuple[str, int, bytes]
Known = tuple[bool, Head]
"""Whether the connection closes after the answer, and the head."""

Asked = tuple[Key | None, int, Known | None]
"""What to keep a head by, the length of its body, and the head if it is known."""

MOST: Final = 16_384
"""In each half of the memory; as many as there are plans."""
ROOM: Final = 32 << 20
"""What the heads of a half may take together. Both halves are full of strangers in an overloaded worker alone."""
LONGEST: Final = 10 << 10
"""How long a head may be: the longest line that a lane takes, such as a provider's token, and what is beside it."""
_OF_EACH: Final = 1024
"""What a head takes beside its headers: key, objects, and who was accepted with it."""
_OF_A_TEXT: Final = 56
_LINES: Final = (b"ontent-Length: ", b"ontent-length: ")
_BEFORE: Final = (b"\r\nC", b"\r\nc")
_MOST_DIGITS: Final = 15
_TO_DIGITS: Final = len(_LINES[0])
_NOT_KEPT: Final = (None, 0, None)


class HeadMemory:
    """One worker's memory of heads of calls that were read and judged."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Recent[Key, Known] = Recent(MOST, room=ROOM, size_of=_size_of)

    def ask(self, data: bytes, end: int, peer: str) -> Asked:
        """For the head that ends at `end`: what to keep it by, the length of its body, and the head if it is known.

        Without a key it cannot be kept, and nothing else is said. A known head is in the grammar of `head_rules`,
        and so is this one: the two differ in the digits of one length.
        """
        if end > LONGEST:
            return _NOT_KEPT
        at = data.rfind(_LINES[0], 0, end)
        if at < 0:
            at = data.rfind(_LINES[1], 0, end)
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


def _size_of(known: Known) -> int:
    """How many bytes a head keeps, rather too many than too few."""
    head = known[1]
    judged = head.judged
    headers = head.headers or {}
    taken = _OF_EACH + len(head.target) + getsizeof(headers)
    for name, value in headers.items():
        taken += _OF_A_TEXT + len(value)
        if name not in REMEMBERED:  # else the name is the reader's own
            taken += _OF_A_TEXT + len(name)
    proof = None if judged is None or judged.caller is None else judged.caller.proof
    return taken + len(proof.jwt) if isinstance(proof, JwtProof) else taken
