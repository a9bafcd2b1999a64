"""When a server that nobody calls is ended, and what keeps or makes it run: the states of one, as values. Pure.

For servers whose entry says so (`SelfHosted.idle_minutes`). Such a server is awake; then it dozes: proxies are told
to forget how it is reached, so that whoever needs it, with a call that runs or one that comes, asks control and keeps
it awake; once all of them have heard that, it is asleep: none of it runs, and the first call has it started. Kept by
`control/changes/idle_servers.py`, moved on by `control/sleeping.py` and by the questions of proxies.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FEWEST_MINUTES: Final = 5
"""A start takes some seconds, and proxies ask about a server in use once a minute."""
MOST_MINUTES: Final = 10_080
"""A week."""
NOTED_EVERY: Final = timedelta(minutes=1)
"""A server in use is noted no more often."""
LATE: Final = timedelta(minutes=2)
"""By how much a use may be later than what is known of it: so long an answer that a proxy holds may serve calls
(ARCHWAY_SOFT_AGE, unless it is set to more), and NOTED_EVERY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    """How long nobody has called one server, and what became of it for that."""

    used_at: datetime
    """When a call last came for it, by whatever proxy, as far as that was noted."""
    dozes_since: datetime | None = None
    """Since when proxies are asked to forget it; None where it is in use, or may be."""
    asleep_since: datetime | None = None
    """Since when none of it is to run; None while it is."""
    wakes: int = 0
    """How often it was asleep and was wanted again."""

    @property
    def is_awake(self) -> bool:
        """Whether a call of it changes nothing."""
        return self.dozes_since is None and self.asleep_since is None

    def is_idle(self, minutes: int, since: datetime, now: datetime) -> bool:
        """Whether it was awake and nobody has called it for so many minutes. `since`: when uses began to be noted."""
        return self.is_awake and max(self.used_at, since) + timedelta(minutes=minutes) + LATE <= now

    def dozing(self, now: datetime) -> "Idleness":
        """Of one that is idle."""
        return replace(self, dozes_since=now)

    def asleep(self, now: datetime) -> "Idleness | None":
        """Once all proxies have forgotten it; None where somebody has wanted it since."""
        return None if self.dozes_since is None else replace(self, dozes_since=None, asleep_since=now)

    def used(self, now: datetime) -> "Idleness":
        """A call has come, or somebody wants it to run."""
        return Idleness(used_at=now, wakes=self.wakes + (self.asleep_since is not None))
