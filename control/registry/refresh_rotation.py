"""What becomes of a refresh token that somebody brings: one family, one living token, and a short grace. Pure.

Each refresh replaces the token by the next of its family (RFC 9700 section 4.14.2), numbered from 1. Two windows of
one client often refresh with the same token at the same moment; within the grace both get the token that lives now.
So a family is never forked: there is one living token whatever comes in which order. A token that comes back later
was copied by somebody, and ends the family.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

GRACE: Final = timedelta(seconds=30)
REMEMBERED: Final = 16
"""Of how many replaced tokens the moment is kept."""
IDLE: Final = timedelta(days=30)
"""A family that nobody uses for so long has ended."""

Outcome = Literal["rotate", "repeat", "reused", "unknown"]


def outcome(brought: int, living: int, replaced_at: Sequence[datetime], now: datetime) -> Outcome:
    """What to do with token number `brought` of a family whose living one is number `living`.

    `replaced_at`: when the tokens before the living one were replaced, the latest first. `rotate`: the next one takes
    its place; `repeat`: the living one is given again; `reused`: the family ends; `unknown`: never given.
    """
    if brought == living:
        return "rotate"
    if not 0 < brought < living:
        return "unknown"
    # One that was replaced longer ago than we remember was so at the earliest moment that is remembered, or before.
    place = min(living - 1 - brought, len(replaced_at) - 1)
    in_grace = place >= 0 and now - replaced_at[place] <= GRACE
    return "repeat" if in_grace else "reused"


def with_replaced(replaced_at: Sequence[datetime], now: datetime) -> list[datetime]:
    """The moments to remember when one more is replaced."""
    return [now, *replaced_at][:REMEMBERED]
