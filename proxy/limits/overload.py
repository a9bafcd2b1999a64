"""Whether this worker has more to do than it can, and which new calls it then refuses.

The queue of an overloaded worker is its event loop: each round (everything that is ready, once) begins with more that
came meanwhile, and takes longer than the one before. So rounds are what is measured: one in fifty milliseconds while
all is well, every one from a late one on. Rounds that stay late mean overload; one that is late by itself, such as a
burst of callers or a pause, does not.

From then on each round takes new calls for a budget of time only, counted from the first of them, and refuses the
rest of what came with them on their headers. The budget follows the rounds: a long one cuts it, short ones raise it,
so that what is let in is what can be done, whatever a call costs here. An address that has nothing in the round yet
may use a second budget, so that one caller with a thousand calls does not take the place of one with a single call.
Strangers, whose tokens this worker has not met, have the same for themselves, and no part in what others have.

The stage `admit` asks; `proxy/worker.py` runs `watch`. Counts and words of the refusal are elsewhere.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

MOST_LAG_S: Final = 0.03
EVERY_S: Final = 0.05
"""How often a round is measured while all is well."""
STANDING_S: Final = 0.2
"""How long late rounds, two at least, must follow one another: a burst that takes no longer is served as a whole."""
PRESSED: Final = 3
"""How much less of both is borne where calls find no place, for each of them has waited for some four rounds."""
AIM_S: Final = 0.003
"""How long a round should be while calls are refused: a call takes some three, and while it does, it has one of the
places at its server."""
LEAST_S: Final = 0.0001
"""The smallest budget, and the step by which it is raised. The first call of a round is taken in any case."""
CUT: Final = 0.8
PERIOD_S: Final = 1.0
FEW: Final = 0.05
"""It is over after a period in which no greater part of the calls was refused."""
_KNOWN, _STRANGERS, _REFUSED = range(3)
"""What a round's time is spent on."""


def _soon(callback: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(callback)


class Overload:
    """Whether one worker is overloaded. For tests: clocks of the time, and of this thread's share of it, and the
    loop's `call_soon`."""

    __slots__ = (
        "_asked",
        "_budget",
        "_calls",
        "_clock",
        "_last",
        "_late_s",
        "_let_in",
        "_looking",
        "_most_lag",
        "_period",
        "_refusals",
        "_soon",
        "_spent",
        "_taker",
        "_turned",
        "_work_clock",
        "_worked",
        "longest",
        "pressed",
        "sheds",
    )

    def __init__(
        self,
        most_lag: float = MOST_LAG_S,
        *,
        clock: Callable[[], float] = time.perf_counter,
        work_clock: Callable[[], float] = time.thread_time,
        soon: Callable[[Callable[[], None]], None] = _soon,
    ) -> None:
        self._most_lag, self._clock, self._work_clock, self._soon = most_lag, clock, work_clock, soon
        self.sheds = False
        """Whether `refuses` is to be asked: all that this costs while nothing is overloaded."""
        self.longest = 0.0
        """The longest round since somebody last set this to 0."""
        self.pressed = False
        """Whether a call found no place since the last look: then less lag is too much."""
        self._late_s = 0.0
        """How long late rounds have followed one another."""
        self._budget = AIM_S / 2
        self._asked = self._looking = False
        self._taker = _KNOWN
        """Whose share the time since `_last` is."""
        self._last = self._period = self._turned = self._worked = 0.0
        self._spent = [0.0, 0.0, 0.0]
        """In this round, since its first call: what known callers took, what strangers did, and what refusals did."""
        self._calls = self._refusals = 0
        """In this period."""
        self._let_in: set[str] = set()

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        """Whether a new call from this address is one too many in this round.

        `stranger`: its token is not known here. Strangers have a budget of their own, and what is done for
        them counts for nobody else, as do refusals: or a flood of calls, refusing which takes all of a round, would
        have everybody refused.
        """
        now = self._work_clock()
        self._calls += 1
        spent = self._spent
        if self._asked:
            spent[self._taker] += now - self._last
        else:
            self._asked = True
            self._look()
        self._last, self._taker = now, _STRANGERS if stranger else _KNOWN
        own = spent[self._taker]
        if own <= self._budget or (own <= 2 * self._budget and address not in self._let_in):
            self._let_in.add(address)
            return False
        self._refusals += 1
        self._taker = _REFUSED
        return True

    async def watch(self) -> None:
        """Measure rounds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self._look()

    def round_took(self, seconds: float, worked: float) -> bool:
        """Take a round into account, and how long of it this thread ran; whether to measure the next one too."""
        self.longest = max(self.longest, seconds)
        if self.sheds:
            return self._adapt(worked)
        patience = 1 / PRESSED if self.pressed else 1.0
        self.pressed = False
        if seconds < self._most_lag * patience:
            self._late_s = 0.0
            return False
        was_late = self._late_s > 0
        self._late_s += seconds
        if was_late and self._late_s >= STANDING_S * patience:
            self._begin()
        return True

    def _begin(self) -> None:
        self.sheds, self._late_s, self._budget = True, 0.0, AIM_S / 2
        self._period, self._calls, self._refusals = self._clock(), 0, 0
        log.warning("overloaded: new calls are refused in part", extra={"lag_s": round(self.longest, 3)})

    def _adapt(self, worked: float) -> bool:
        """The round's end while calls are refused: another budget for the next, or the end of it all.

        What counts is the work of the round, but for strangers and refusals: time that others had of the processor
        would be theirs again, and callers who come back at once would have everybody refused.
        """
        if worked > AIM_S:
            self._budget = max(LEAST_S, self._budget * CUT)
        else:
            self._budget = min(AIM_S, self._budget + LEAST_S)
        asked, self._asked = self._asked, False
        self._spent[:] = (0.0, 0.0, 0.0)
        self._let_in.clear()
        if self._clock() - self._period >= PERIOD_S:
            self._end_period()
        return asked

    def _end_period(self) -> None:
        if self._refusals <= FEW * self._calls:
            self.sheds = False
            log.info("no longer overloaded")
        self._period, self._calls, self._refusals = self._clock(), 0, 0

    def _look(self) -> None:
        """Measure from here to the loop's next round, if nothing is being measured."""
        if not self._looking:
            self._looking, self._turned, self._worked = True, self._clock(), self._work_clock()
            self._soon(self._turn)

    def _turn(self) -> None:
        """Once in a round, and no round waits for anything while this is due: what passes is work."""
        now, worked = self._clock(), self._work_clock()
        if self._asked:
            self._spent[self._taker] += worked - self._last
        others = self._spent[_STRANGERS] + self._spent[_REFUSED]
        self._looking = self.round_took(now - self._turned, worked - self._worked - others)
        self._turned, self._worked = now, worked
        if self._looking:
            self._soon(self._turn)
