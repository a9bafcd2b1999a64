"""By how much this proxy's clock differs from control's, and whether control refuses our questions for that.

`control_client.py` shows it each answer; `proxy/gauges.py` tells the number. A proxy whose clock is off would else
only seem to have lost its control.
"""

import logging
import time
from collections.abc import Mapping
from typing import Final

from core.clocks import CURE, MOST_S, difference, is_refused_for_clock, seconds_ahead

log = logging.getLogger(__name__)
_SAID_EVERY_S: Final = 60.0


class ControlClock:
    """What control's answers tell of its clock, and the log's word about it: at most one a minute."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """By how many seconds our clock was ahead of control's at its last answer; less than 0: behind."""
        self._said_at = -_SAID_EVERY_S
        self._off = False

    def seen(self, status: int, headers: Mapping[str, str]) -> str:
        """Note an answer; in words, if it is a refusal for the clock, else ""."""
        ahead = seconds_ahead(headers, time.time())
        if ahead is not None:
            self.ahead = ahead
        refused = is_refused_for_clock(status, headers)
        self._say(refused)
        return f"it refuses us because {difference(ahead, 'this proxy', 'control')}" if refused else ""

    def _say(self, refused: bool) -> None:
        off = refused or abs(self.ahead) > MOST_S
        if not off:
            if self._off:
                log.info("this proxy's clock agrees with control's again")
            self._off = False
            return
        now = time.monotonic()
        if self._off and now - self._said_at < _SAID_EVERY_S:
            return
        self._off, self._said_at = True, now
        told = {"ahead_s": round(self.ahead), "refused": refused, "cure": CURE}
        level = logging.ERROR if refused else logging.WARNING
        log.log(level, "this proxy's clock differs from control's", extra=told)
