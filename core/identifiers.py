"""Identifiers of rows, records and requests.

UUID version 7 (RFC 9562 section 5.7): the leading 48 bits are a millisecond clock, so that new rows land at the
end of an index and lists sort by age. Made here, not in the database, because PostgreSQL has `uuidv7()` only
from version 18 and the data plane needs identifiers too.
"""

import os
import re
import time
import uuid

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label (RFC 1035 section 2.3.1, digits allowed first): safe in a path, a header and a metric."""


_AT_ONCE = 256
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit whose upper two bits say RFC 9562 (section 4.1) and whose lower two stay random."""
_tails: list[str] = []
"""What follows the clock in identifiers to come. Taken by `pop`, which no other thread can come between."""
_last_clock = (0, "00000000-0000")
"""A millisecond and its text; many identifiers are made in one. Replaced whole."""
# Two processes with one reserve would make the same identifiers.
os.register_at_fork(after_in_child=_tails.clear)


def new_id() -> str:
    """A fresh identifier as lower-case text, 36 characters."""
    global _last_clock  # noqa: PLW0603 - a memory of one thing
    milliseconds = time.time_ns() // 1_000_000
    known, clock = _last_clock
    if known != milliseconds:
        digits = f"{milliseconds:012x}"
        clock = f"{digits[:8]}-{digits[8:]}"
        _last_clock = milliseconds, clock
    try:
        tail = _tails.pop()
    except IndexError:
        tail = _more_tails()
    return clock + tail


def _more_tails() -> str:
    """Fetch random bits for many at a time, since asking the system costs as much as all the rest; returns one."""
    digits = os.urandom(10 * _AT_ONCE).hex()
    chances = [digits[at : at + 20] for at in range(0, len(digits), 20)]
    made = [f"-7{one[:3]}-{_VARIANT[one[3]]}{one[4:7]}-{one[7:19]}" for one in chances]
    last = made.pop()
    _tails.extend(made)
    return last


def is_id(text: str) -> bool:
    """Whether `text` is an identifier in the one form that we write (lower case, with dashes)."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
