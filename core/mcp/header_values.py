"""Text in HTTP header values: what may stand there as it is, and the sentinel for what may not.

Used for `Mcp-Name` and `Mcp-Param-*` in both directions, and by whoever forwards a header. The checks are
stricter than RFC 9110 section 5.5, which tolerates bytes above 0x7F: a header writer that drops such bytes
turns a value that we refused into one that we would have let through, or the reverse.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NewType

SafeHeaderValue = NewType("SafeHeaderValue", str)
"""Visible ASCII with spaces and tabs inside; made only by `safe_header_value` and `encode_sentinel`."""

_PREFIX = "=?base64?"
_SUFFIX = "?="
_SHORTEST_SENTINEL = len(_PREFIX) + len(_SUFFIX)

_SAFE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?|")
# A tab is legal inside a value, but the MCP transport counts it among the control characters to encode.
_SAFE_WITHOUT_TAB = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?|")


def safe_header_value(text: str) -> SafeHeaderValue:
    """Check that `text` may be sent as a header value unchanged; the empty text may.

    Raises ValueError, without repeating the value: it may be a secret.
    """
    if _SAFE.fullmatch(text) is None:
        raise ValueError(
            "A header value must be visible ASCII, with spaces and tabs only inside; "
            "remove other characters and surrounding whitespace."
        )
    return SafeHeaderValue(text)


def encode_sentinel(text: str) -> SafeHeaderValue:
    """Write any text as a header value (MCP 2026-07-28, transports, "Value Encoding").

    What is safe goes as it is; the rest, and what would itself read as a sentinel, goes as
    `=?base64?<standard base64 of its UTF-8>?=`. Raises ValueError for lone surrogates, which have no UTF-8.
    """
    if _SAFE_WITHOUT_TAB.fullmatch(text) is not None and not _looks_like_sentinel(text):
        return SafeHeaderValue(text)
    return SafeHeaderValue(_PREFIX + base64.b64encode(text.encode()).decode("ascii") + _SUFFIX)


def decode_sentinel(value: str) -> str:
    """Read a header value whose surrounding whitespace is already cut off.

    Decodes once: a sentinel inside a sentinel stays text. Prefix and suffix are case-sensitive; a value with
    only one of them is text. Raises ValueError for a value with unsafe characters, and for base64 that is not
    the one canonical form of some UTF-8 text (wrong padding, foreign characters, loose trailing bits).
    """
    safe_header_value(value)
    if not _looks_like_sentinel(value):
        return value
    payload = value[len(_PREFIX) : -len(_SUFFIX)].encode("ascii")
    try:
        decoded = binascii.a2b_base64(payload, strict_mode=True) if payload else b""
        text = decoded.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("The base64 of the header value is malformed.") from None
    if binascii.b2a_base64(decoded, newline=False) != payload:
        raise ValueError("The base64 of the header value is not in its canonical form.")
    return text


def _looks_like_sentinel(value: str) -> bool:
    return len(value) >= _SHORTEST_SENTINEL and value.startswith(_PREFIX) and value.endswith(_SUFFIX)
