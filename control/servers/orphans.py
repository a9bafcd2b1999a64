"""Which of the servers that run are nobody's any more; a rule that would rather leave one than take a hundred.

Used by `loop.py` at each resync, with what was there before the rows were read.
"""

from collections.abc import Collection
from typing import Final

ALWAYS: Final = 3
"""So many may go at once, however few there are."""
MOST_SHARE: Final = 0.2
"""Of those that are there; more is no clearing up, but a database that is not the one it was."""


class TooManyOrphans(Exception):
    """More would go than is believed; the sentence says how many, and what to do."""


def orphans(present: Collection[str], wanted: Collection[str]) -> frozenset[str]:
    """Those that are there and not wanted; raises TooManyOrphans.

    `present` must have been read before `wanted`, and hold only what is old enough to be missed: else what was just
    added looks like what is no longer wanted.
    """
    gone = frozenset(present) - frozenset(wanted)
    if len(gone) > max(ALWAYS, MOST_SHARE * len(present)):
        raise TooManyOrphans(
            f"{len(gone)} of {len(present)} servers that run have no installation in this database, and none was "
            "removed. If it is the right database, remove them by hand; else put the right one back"
        )
    return gone
