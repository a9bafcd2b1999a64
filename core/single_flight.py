"""Single flight: however many wait for the answer to one question, it is asked once.

Used where many callers meet what is not known yet: a gateway, a verdict, an upstream's era, session or address, the
next tokens of an account. What is left out: keeping the answer, which is for whoever asks, and a deadline, which the
work itself has.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from core.tasks import Tasks

T = TypeVar("T")

Work = Callable[[], Coroutine[Any, Any, T]]


class SingleFlight(Generic[T]):
    """Runs by text keys, at most one for each; `tasks` owns them, under `name`."""

    def __init__(self, name: str, tasks: Tasks) -> None:
        self._name, self._tasks = name, tasks
        self._running: dict[str, asyncio.Task[T]] = {}

    def __contains__(self, key: str) -> bool:
        """Whether a run for this key is under way."""
        return key in self._running

    def __len__(self) -> int:
        return len(self._running)

    def run(self, key: str, work: Work[T]) -> "asyncio.Task[T]":
        """The run for this key: the one under way, or a new one of `work`. It is not for its waiters to cancel."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = self._tasks.spawn(self._name, work())
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def result(self, key: str, work: Work[T]) -> T:
        """The result of the run for this key. What it raises is raised for all who wait; a later caller runs again.

        A waiter that is cancelled leaves the run alone. CancelledError comes too where the owner ended the run.
        """
        task = self.run(key, work)
        # Not `asyncio.shield`: newer ones report a failure that nobody waits for any more, and that is the owner's.
        _ = await asyncio.wait((task,))
        return task.result()

    def disown(self, key: str) -> None:
        """Let the run go on for those who wait; a later caller starts another."""
        self._running.pop(key, None)

    def disown_all(self) -> None:
        """Disown every run that is under way."""
        self._running.clear()

    async def come_to_an_end(self, within: float) -> None:
        """Wait for the runs that are under way, at most so many seconds."""
        if self._running:
            _ = await asyncio.wait(list(self._running.values()), timeout=within)

    def _ended(self, key: str, task: "asyncio.Task[T]") -> None:
        if self._running.get(key) is task:
            del self._running[key]
