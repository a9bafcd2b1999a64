"""Trace context: what a caller says of its trace, checked, and what a server is told.

W3C Trace Context (traceparent, tracestate) and Baggage, in the headers or, before them, in `_meta` of the message
(the unprefixed keys that MCP keeps for them). Pure functions of values.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

PARENT: Final = "traceparent"
STATE: Final = "tracestate"
BAGGAGE: Final = "baggage"
KEYS: Final = frozenset({PARENT, STATE, BAGGAGE})
# Section 3.2.2; a later version may add to its end.
_PARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_STATE: Final = re.compile(r"[\x20-\x7e]{1,512}")
_BAGGAGE: Final = re.compile(r"[\x20-\x7e]{1,8192}")
_LONGEST_PARENT: Final = 256


@dataclass(frozen=True, slots=True)
class Parent:
    """The caller's span, to which a call's own span belongs."""

    trace_id: str
    span_id: str
    sampled: bool
    state: str = ""

    @property
    def text(self) -> str:
        """As version 00 writes it; other flags than "sampled" are not passed on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


def parent_of(meta: Mapping[str, object], headers: Mapping[str, str]) -> Parent | None:
    """What the caller says, if it says one thing that can be used: in the message, or else in the headers."""
    said: Mapping[str, object] = meta if PARENT in meta else headers
    text = said.get(PARENT)
    if not isinstance(text, str) or len(text) > _LONGEST_PARENT:
        return None
    found = _PARENT.fullmatch(text)
    if found is None or (found[1] == "00" and found[5]):
        return None
    state = said.get(STATE)
    usable = isinstance(state, str) and _STATE.fullmatch(state) is not None
    return Parent(found[2], found[3], bool(int(found[4], 16) & 1), str(state) if usable else "")


def baggage_of(meta: Mapping[str, object], headers: Mapping[str, str], listed: Collection[str]) -> str:
    """The members of the caller's baggage whose keys are listed, in their order."""
    text = meta.get(BAGGAGE, headers.get(BAGGAGE))
    if not listed or not isinstance(text, str) or _BAGGAGE.fullmatch(text) is None:
        return ""
    members = (member.strip() for member in text.split(","))
    return ",".join(member for member in members if member.partition("=")[0].strip() in listed)
