"""Which names of an upstream's tools Archway takes.

Called at discovery, which refuses the rest with the reason, and by the assignment of exposed names. Names are
compared byte for byte and never normalised: two names that only look alike are two names, and of such
twins at most the plain ASCII one passes here.
"""

from __future__ import annotations

import re

MAX_TOOL_NAME = 128

_ALLOWED = re.compile(r"[A-Za-z0-9_.-]+")


def valid_upstream_name(name: object) -> bool:
    """Whether `name` is 1 to 128 of `A-Z a-z 0-9 _ . -` and nothing else (MCP, tool names)."""
    return why_invalid_name(name) is None


def why_invalid_name(name: object) -> str | None:
    """A sentence for the admin on why a tool is not taken, or None where its name is fine.

    The name itself is repeated only as ASCII escapes: it may hold marks that turn a line of text around.
    """
    if not isinstance(name, str):
        return "The tool's name is not a string."
    if not name:
        return "The tool's name is empty."
    if len(name) > MAX_TOOL_NAME:
        return f"The tool's name has {len(name)} characters; at most {MAX_TOOL_NAME} are allowed."
    if _ALLOWED.fullmatch(name) is None:
        return f"The tool's name {name!a} has characters other than A-Z, a-z, 0-9, '_', '.', '-'."
    return None
