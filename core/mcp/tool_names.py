"""Which names of an upstream's tools Archway takes, and which of them are plain.

Called at discovery. Names are compared byte for byte and never normalised: two names that only look alike are two
names. A plain name is one of the protocol's alphabet; any other is served too, under a name of ours
(`control/registry/own_names.py`), and its server is called by its own.
"""

from __future__ import annotations

import re

MAX_TOOL_NAME = 128
"""Characters of a plain name."""
MAX_NAME_BYTES = 1_024
"""Of any name, as UTF-8: it is a key of our tables, and a header of each call."""

_ALLOWED = re.compile(r"[A-Za-z0-9_.-]+")


def valid_upstream_name(name: object) -> bool:
    """Whether `name` is plain: 1 to 128 of `A-Z a-z 0-9 _ . -` and nothing else (MCP, tool names)."""
    return isinstance(name, str) and len(name) <= MAX_TOOL_NAME and _ALLOWED.fullmatch(name) is not None


def why_invalid_name(name: object) -> str | None:
    """A sentence for the admin on why a tool cannot be served under any name, or None where it can."""
    if not isinstance(name, str):
        return "Its name should be a string."
    if not name:
        return "Its name should not be empty."
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "Its name holds half of a character."
    if size > MAX_NAME_BYTES:
        return f"Its name has {size} bytes; at most {MAX_NAME_BYTES} are allowed."
    return "Its name holds the character U+0000." if "\x00" in name else None
