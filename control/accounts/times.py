"""When tokens are renewed, and how long a provider that gives none is left alone. Pure.

Called by all that gives an account its tokens, and by `one_renewal.py`. `luck`: a number from 0 to 1, so that
accounts which came together are not renewed together.
"""

from datetime import datetime, timedelta
from typing import Final

_MOST_AHEAD: Final = timedelta(minutes=5)
_SHARE_AHEAD: Final = 0.2
_FIRST_REST: Final = timedelta(seconds=5)
LONGEST_REST: Final = timedelta(minutes=5)


def next_refresh(ends: datetime | None, now: datetime, luck: float) -> datetime | None:
    """When the background asks for the next tokens: ahead of the end by a fifth of the life, at most five minutes,
    and up to twice that by luck. None where the end is not known.
    """
    if ends is None:
        return None
    ahead = min(_MOST_AHEAD, max(ends - now, timedelta(0)) * _SHARE_AHEAD)
    return ends - ahead * (1 + luck)


def rest_after(failing_since: datetime | None, now: datetime, wanted_s: float, luck: float) -> timedelta:
    """How long a provider is left alone that gave no tokens: as long as it has failed already, from five seconds to
    five minutes, a quarter more or less by luck; and never shorter than it wants.
    """
    failing = now - failing_since if failing_since is not None else timedelta(0)
    rest = min(max(failing, _FIRST_REST), LONGEST_REST) * (0.75 + luck / 2)
    return max(rest, timedelta(seconds=wanted_s) * (1 + luck / 10))
