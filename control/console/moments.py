"""How long ago something was, or how soon it will be, in words; templates put the exact time beside it.

Called by the macro of `templates/parts/time.html`. Functions of values: the page's own moment is given.
"""

from datetime import UTC, datetime
from typing import Final

_STEPS: Final = ((60, 1, "second"), (3_600, 60, "minute"), (86_400, 3_600, "hour"), (2_592_000, 86_400, "day"))
_MONTH_S: Final = 2_592_000
_YEAR_S: Final = 31_536_000
_JUST_NOW_S: Final = 5


def ago(moment: datetime, now: datetime) -> str:
    """`3 minutes ago`, `in 2 days`, `just now`."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _JUST_NOW_S:
        return "just now"
    spoken = _spoken(int(abs(seconds)))
    return f"{spoken} ago" if seconds > 0 else f"in {spoken}"


def exact(moment: datetime) -> str:
    """`2026-11-28 19:40:12 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _spoken(seconds: int) -> str:
    for below, size, word in _STEPS:
        if seconds < below:
            return _counted(seconds // size, word)
    if seconds < _YEAR_S:
        return _counted(seconds // _MONTH_S, "month")
    return _counted(seconds // _YEAR_S, "year")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
