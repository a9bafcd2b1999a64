"""How much of what a server logs during one call goes to the caller: so many messages, and so many bytes.

A server that logs without end would fill its caller's stream, and a model's context. Asked by the stage `receive`.
"""

from typing import Final

import orjson

MOST: Final = 2_000
"""Messages of one call."""
MOST_BYTES: Final = 1 << 20
"""Of them together, as JSON."""


class Logged:
    """What one call has told of its server's log."""

    __slots__ = ("_bytes", "_cut", "_number")

    def __init__(self) -> None:
        self._number = self._bytes = 0
        self._cut = False

    def take(self, told: dict[str, object]) -> dict[str, object] | None:
        """What the caller gets for this message: itself, once a word that the rest is left out, or nothing."""
        if self._cut:
            return None
        self._number += 1
        self._bytes += len(orjson.dumps(told))
        if self._number <= MOST and self._bytes <= MOST_BYTES:
            return told
        self._cut = True
        # Of the same level as the message, so that it is not below what the caller hears.
        words = f"The server logs more than {MOST} messages or {MOST_BYTES} bytes in this call; the rest is left out."
        return {"level": told.get("level"), "logger": "archway", "data": words}
