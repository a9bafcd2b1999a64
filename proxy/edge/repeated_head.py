"""A connection's last head, to know it again: clients send the same bytes with each call, but for the length.

What was judged about a head stays with it (`proxy.exchange.Judged`), so a call whose head repeats is neither read nor
judged a second time. The bytes are kept as they came, credential and all, for as long as their connection is open.
Used by `fast_connection.py`.
"""

import re
from typing import Final

from proxy.edge.head_rules import PlainHead
from proxy.exchange import Head

_LENGTH_LINE = re.compile(rb"\r\ncontent-length:[\t ]*([0-9]+)(?=[\t ]*(?:\r\n|\Z))", re.IGNORECASE)
_MOST_DIGITS: Final = 15
_MOST_KEPT: Final = 4096


class RepeatedHead:
    """One POST's head that passed `at_headers`, and what it is."""

    __slots__ = ("_after", "_before", "head", "plain")

    def __init__(self, before: bytes, after: bytes, plain: PlainHead, head: Head) -> None:
        self._before, self._after = before, after
        self.plain, self.head = plain, head

    def length_in(self, data: bytes, end: int) -> int:
        """The body's length, if `data` up to `end` is this head but for that; else -1."""
        before, after = self._before, self._after
        if not data.startswith(before) or not data.endswith(after, len(before), end):
            return -1
        digits = data[len(before) : end - len(after)]
        # As strict as the grammar of the first reading: it is the same head but for these digits.
        if not digits.isdigit() or len(digits) > _MOST_DIGITS or (digits[0] == 0x30 and len(digits) > 1):
            return -1
        return int(digits)


def repeated_head(block: bytes, plain: PlainHead, head: Head) -> RepeatedHead | None:
    """What it takes to know a head again; None for one without a length, or of more than 4 KiB.

    `block` ends before the empty line, and is in the grammar of `head_rules`, so it names one length.
    """
    found = _LENGTH_LINE.search(block) if len(block) <= _MOST_KEPT else None
    if found is None:
        return None
    return RepeatedHead(block[: found.start(1)], block[found.end(1) :], plain, head)
