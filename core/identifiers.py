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


def new_id() -> str:
    """A fresh identifier as lower-case text, 36 characters."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Whether `text` is an identifier in the one form that we write (lower case, with dashes)."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
