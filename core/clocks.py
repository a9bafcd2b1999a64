"""Clocks of two hosts that differ: how a plane says that it refuses a question for that, and by how much they differ.

A question between the planes carries the time at which it was made (`internal_call.py`), so one from a host whose
clock is a minute off is refused although nothing else is wrong. Whoever refuses it then says so in a header, and the
answer's Date says how late it is there. Both are hints for people: nobody is let in because of them. Used by the
clients and listeners of both planes and by `archway doctor`.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

HEADER: Final = "Archway-Refused"
CLOCK: Final = "clock"
REFUSED_FOR_CLOCK: Final = {HEADER: CLOCK}
"""Headers of an answer that refuses a question which is good but for its time."""
MOST_S: Final = 30.0
"""A difference that is worth a word: half a minute before questions are refused."""
CURE: Final = "run a time service such as chrony on both"


def seconds_ahead(headers: Mapping[str, str], now: float) -> float | None:
    """By how many seconds our clock is ahead of the answerer's, less than 0 where it is behind; to a second or two.

    None where the answer has no Date that can be read.
    """
    try:
        return now - parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def is_refused_for_clock(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer says that a question was good but for its time."""
    return status == 403 and headers.get(HEADER) == CLOCK


def difference(ahead: float | None, ours: str, theirs: str) -> str:
    """A part of a sentence: whose clock is how far from whose."""
    if ahead is None:
        return f"the clocks of {ours} and {theirs} differ"
    return f"the clock of {ours} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} that of {theirs}"
