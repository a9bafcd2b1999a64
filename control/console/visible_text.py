"""Text of other people and of servers, as a page shows it: what cannot be seen is made visible.

Every value that a template prints passes here (`rendering.py`), before it is escaped. A name may turn the direction
of writing, or hide words between letters that nobody sees; whoever decides by what a page says must see that it does.
Letters of every script stay as they are, and so do the joiners that Persian, Hindi and emojis need.
"""

import re
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e01ef]"
)
"""Controls but for tab and new line, marks of direction, spaces without width, letters that are blank (fillers of
Hangul, the empty Braille cell), tags and selectors that spell hidden words."""


def visible(text: str) -> str:
    """The text with `⟨U+202E⟩` in place of each character that cannot be seen."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
