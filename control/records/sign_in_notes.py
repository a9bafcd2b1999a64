"""Keeps a note of each step of signing in, for `archway sign-ins` and the page of that name. Never in anybody's way.

Called by whoever takes a step, after it was taken or refused: each note has a transaction of its own, so that it
outlives what was rolled back, and one that cannot be written is not missed. Strangers can have notes written as fast
as they can ask, so those of one second are bounded, for each network and in all.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from control.registry.sign_in_attempt import NewAttempt, plain
from control.store import sign_in_attempts
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction

log = logging.getLogger(__name__)
A_SECOND: Final = 40
"""Notes that one process writes of strangers, and as many of people who are known."""
OF_ONE_A_SECOND: Final = 10
"""Of those: of one network, or of one person."""


class SignInNotes:
    """Writes notes for one process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._second = 0
        self._of_half: Counter[bool] = Counter()
        self._of_one: Counter[str] = Counter()

    async def note(self, attempt: NewAttempt) -> None:
        """Keep that this step was taken, or why it was not."""
        await self.note_all([(attempt, 1)])

    async def note_all(self, attempts: Sequence[tuple[NewAttempt, int]]) -> None:
        """Keep many, each so many times."""
        found = [(plain(attempt), times) for attempt, times in attempts if self._has_room(attempt)]
        if not found:
            return
        try:
            async with transaction(self._pool) as connection:
                await sign_in_attempts.keep(connection, found)
        except (StoreConflict, StoreUnavailable) as fault:
            log.debug("steps of signing in were not noted", extra={"notes": len(found), "fault": str(fault)})

    def _has_room(self, attempt: NewAttempt) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._of_half, self._of_one = second, Counter(), Counter()
        half, one = attempt.known, attempt.source
        if self._of_half[half] >= A_SECOND or self._of_one[one] >= OF_ONE_A_SECOND:
            return False
        self._of_half[half] += 1
        self._of_one[one] += 1
        return True
