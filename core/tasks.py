"""The owner of background tasks: each has a name, ends with its owner, and never ends in silence.

asyncio keeps only a weak reference to a task, so one without an owner can vanish in the middle of its work; that
is why `asyncio.create_task` is banned everywhere but here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
_TRIES = 5


class Tasks:
    """A set of running tasks with one owner; `close` ends them all."""

    def __init__(self, owner: str, *, quiet: tuple[type[BaseException], ...] = ()) -> None:
        self._owner = owner
        self._quiet = quiet
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, name: str, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start `work`; an exception is logged with the task's name, unless it is one of the owner's `quiet` ones."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._owner}/{name}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def __len__(self) -> int:
        return len(self._running)

    async def close(self, grace: float = 5.0) -> None:
        """Cancel what runs and wait for it, at most `grace` seconds.

        A task that goes on is cancelled again: some libraries lose a cancellation that meets them while they connect.
        """
        running = set(self._running)
        for _ in range(_TRIES):
            if not running:
                return
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=grace / _TRIES)
        for task in running:
            log.error("task did not end", extra={"task": task.get_name(), "grace_s": grace})

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None or isinstance(error, self._quiet):
            return
        log.error("task failed", exc_info=error, extra={"task": task.get_name()})


async def forever(name: str, step: Callable[[], Awaitable[None]], pause: float) -> None:
    """Run `step` again and again until cancelled: work that must not end while its process lives.

    A step that fails is logged, and the next begins after `pause` seconds. `step` itself waits for something, or the
    loop would have no end and no pause.
    """
    while True:
        try:
            await step()
        except Exception:
            log.exception("background work failed and goes on", extra={"work": name})
            await asyncio.sleep(pause)
