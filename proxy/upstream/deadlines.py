"""How long a call may take, and the time limits that run, all on one timer of the loop.

What an entry says goes before the worker's own setting; both are read here and nowhere else.
A timer of its own for each call costs 5 us, which is a tenth of a call; here starting and stopping one costs a
fraction of that, and a limit strikes up to 50 ms late, never early. What has no task brings its own `strike`, as
`SentCall` does. `Deadlines.limit` is for what has one, as in `conversation`, with the semantics of `asyncio.timeout`:
the task inside is cancelled, and the block ends in TimeoutError.
"""

import asyncio
import time
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Protocol

from core.resolve import ResolvedInstallation

_SWEEP_SECONDS = 0.05


class Limited(Protocol):
    """Something with an end in time."""

    until: float
    """Monotonic time at which it strikes; may be moved."""

    def strike(self) -> None:
        """The time is over."""


class Deadlines:
    """A worker's limits. `seconds`: of a call whose entry says nothing; `ceiling`: with all progress."""

    def __init__(self, *, seconds: float, ceiling: float) -> None:
        self._seconds, self._ceiling = seconds, ceiling
        self._running: set[Limited] = set()
        self._others: list[AbstractSet[Limited]] = []
        self.sweeps = False
        """Whether it looks for what is late: it rests while nothing runs."""

    def seconds_for(self, installation: ResolvedInstallation) -> float:
        """How long a call may wait for its answer, or for the next message of progress."""
        return installation.deadline_s or self._seconds

    def until(self, installation: ResolvedInstallation) -> float:
        """The monotonic time at which a call that begins now is given up."""
        return time.monotonic() + (installation.deadline_s or self._seconds)  # as `seconds_for`, without its call

    def latest(self, installation: ResolvedInstallation, until: float) -> float:
        """The monotonic time beyond which no progress helps a call that would be given up at `until`."""
        return until + max(self._ceiling - self.seconds_for(installation), 0.0)

    def told_for(self, installation: ResolvedInstallation, *, ended_by_ceiling: bool) -> float:
        """The seconds that a call was given: from its beginning or its last progress on, or with all progress."""
        seconds = self.seconds_for(installation)
        return max(self._ceiling, seconds) if ended_by_ceiling else seconds

    def limit(self, until: float) -> "Deadline":
        """A block that ends in TimeoutError at this monotonic time; setting `Deadline.until` moves its end."""
        return Deadline(self, until)

    def started(self, deadline: Limited) -> None:
        """From now on it can strike."""
        self._running.add(deadline)
        if not self.sweeps:
            self.sweep()

    def watch(self, running: AbstractSet[Limited]) -> None:
        """Look among these for what is late, too. Who adds the first to them calls `sweep`, unless it `sweeps`."""
        self._others.append(running)

    def sweep(self) -> None:
        """Look for what is late from now on, until nothing runs."""
        self.sweeps = True
        asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def stopped(self, deadline: Limited) -> None:
        """It can strike no more."""
        self._running.discard(deadline)

    def _sweep(self) -> None:
        now = time.monotonic()
        all_running = (self._running, *self._others)
        # First of all: whatever a strike comes to, the others have their time limits.
        self.sweeps = any(all_running)
        if self.sweeps:
            self.sweep()
        for running in all_running:
            for deadline in [one for one in running if one.until <= now]:
                if deadline in running:  # else an earlier strike has ended it
                    self._running.discard(deadline)
                    deadline.strike()


class Deadline:
    """The limit of a block in a task. Used once."""

    __slots__ = ("_before", "_deadlines", "_task", "struck", "until")

    def __init__(self, deadlines: Deadlines, until: float) -> None:
        self._deadlines = deadlines
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        self.until = until
        """Monotonic time at which it strikes; may be moved."""
        self.struck = False

    def __enter__(self) -> "Deadline":
        self._task = asyncio.current_task()
        assert self._task is not None
        self._before = self._task.cancelling()
        self._deadlines.started(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.stopped(self)
        task, self._task = self._task, None
        if self.struck and task is not None and task.uncancel() <= self._before and kind is asyncio.CancelledError:
            # Nobody but us cancelled it.
            raise TimeoutError from error

    def strike(self) -> None:
        """The time is over."""
        if self._task is not None:
            self.struck = True
            self._task.cancel()
