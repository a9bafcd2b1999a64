"""What the server prints that is no message: to the log, with secrets taken out, and no more than can be read.

Its standard error is such, and lines of its standard output that are no JSON-RPC. The last lines are remembered: they
say why it ended.
"""

import logging
import time
from collections import deque
from typing import Final

from bridge.lines import TooLong
from core.redaction import Redaction

log = logging.getLogger(__name__)
MOST_A_SECOND: Final = 200
"""Lines that are written to the log in one second; what comes beyond is counted."""
LONGEST: Final = 2_000
"""Characters of a line that are kept."""
_LAST: Final = 8


class Printed:
    """Takes lines that a server prints beside its messages."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._latest: deque[bytes | TooLong] = deque(maxlen=_LAST)
        self._second, self._written, self._left_out = 0, 0, 0
        self.stray = 0
        """Lines of standard output that were no messages."""

    def words(self, line: bytes | TooLong) -> None:
        """A line of its standard error."""
        self._take(line, "the server wrote")

    def no_message(self, line: bytes | TooLong, why: str) -> None:
        """A line of its standard output that means nothing."""
        if self._take(line, f"the server printed {why}"):
            self.stray += 1

    def forget(self) -> None:
        """Another run begins."""
        self._latest.clear()
        self.stray = 0

    @property
    def latest(self) -> str:
        """Its last words, in a few lines."""
        return "\n".join(self._text(line) for line in self._latest)

    def _take(self, line: bytes | TooLong, event: str) -> bool:
        """Write it to the log, as long as there is room; False for an empty line."""
        if not isinstance(line, TooLong) and not line.strip():
            return False
        self._latest.append(line)
        second = int(time.monotonic())
        if second != self._second:
            if self._left_out:
                log.warning("lines of the server were left out", extra={"lines": self._left_out})
            self._second, self._written, self._left_out = second, 0, 0
        if self._written < MOST_A_SECOND:
            self._written += 1
            log.info(event, extra={"line": self._text(line)})
        else:
            self._left_out += 1
        return True

    def _text(self, line: bytes | TooLong) -> str:
        if isinstance(line, TooLong):
            return f"({line.size} bytes on one line)"
        return self._redaction(line.decode("utf-8", "replace").rstrip())[:LONGEST]
