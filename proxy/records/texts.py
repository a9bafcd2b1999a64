"""Texts in a record that came from outside: without what a terminal obeys, and short.

Used where a record is made: of a call, and of a refusal before there is one.
"""

import re
from typing import Final

_NOT_TOLD: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, or no text may hold."""
LONGEST_SENTENCE: Final = 256
LONGEST_NAME: Final = 128
"""Characters of what a client or a caller calls something."""


def sentence(told: str) -> str:
    """What a caller was told, as a record has it."""
    return _NOT_TOLD.sub("", told[:LONGEST_SENTENCE])


def short_name(said: str) -> str:
    """What a client or a caller calls something, as a record has it."""
    return _NOT_TOLD.sub("", said[:LONGEST_NAME])
