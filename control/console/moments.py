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
    return f"{_spoken(int(seconds))} ago" if seconds > 0 else f"in {_spoken(int(-seconds), to_come=True)}"


def exact(moment: datetime) -> str:
    """`2026-11-28 19:40:12 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _spoken(seconds: int, *, to_come: bool = False) -> str:
    """In the largest unit that fits: whole ones that have gone by, or the nearest number of those to come. So what is
    made for 7 days ends in 7 days when it is shown a moment later.
    """
    for below, size, word in (*_STEPS, (_YEAR_S, _MONTH_S, "month")):
        if seconds < below:
            return _counted((seconds + (size // 2 if to_come else 0)) // size, word)
    return _counted((seconds + (_YEAR_S // 2 if to_come else 0)) // _YEAR_S, "year")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
