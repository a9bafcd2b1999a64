"""Installations whose credential ends before anybody would ask about them again are asked about beside the calls.

What is used every minute is otherwise refreshed by its uses (`proxy/caches/two_ages.py`). A statement about the
caller lives no longer than a minute: after a pause of half of one the next call would wait for control. So for as
long as somebody has called with such an installation lately, it is asked for again when it is young no more. Used by
`Installations`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from core.resolve import InstallationQuestion, ResolvedInstallation
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged

EVERY_S: Final = 1.0
"""How often it is looked; the shortest that an installation with a statement is young is fifteen times as long."""
MOST: Final = 10_000
"""Callers and tools of a worker for which it is done; of more, those that were called last. A look at all of them
takes some five milliseconds."""
_AT_A_TIME: Final = 256
Ask = Callable[[str, InstallationQuestion], Awaitable[Aged[ResolvedInstallation]]]


class Ahead:
    """Keeps short-lived installations fresh while they are used: until `soft` seconds, twice, after the last use."""

    def __init__(self, resolved: LayeredCache[ResolvedInstallation], ask: Ask, tasks: Tasks, soft: float) -> None:
        self._resolved, self._ask, self._tasks, self._soft = resolved, ask, tasks, soft
        self._followed: Bounded[str, InstallationQuestion] = Bounded(MOST)
        self._sweeps = False

    def follow(self, key: str, question: InstallationQuestion, ends: float) -> None:
        """A call has used what is held under this key, until this Unix time; it is asked about with its question."""
        if ends - time.time() >= self._soft:
            return
        _ = self._followed.put(key, question)
        if not self._sweeps:
            self._sweeps = True
            _ = self._tasks.spawn("installations kept ahead", self._sweep())

    async def _sweep(self) -> None:
        try:
            while len(self._followed):
                await asyncio.sleep(EVERY_S)
                for number, (key, question) in enumerate(self._followed.items(), 1):
                    self._look_at(key, question)
                    if not number % _AT_A_TIME:
                        await asyncio.sleep(0)
        finally:
            self._sweeps = False

    def _look_at(self, key: str, question: InstallationQuestion) -> None:
        rest, now = self._resolved.memory.rest(key), time.monotonic()
        if rest is None or now - rest.aged.used > 2 * self._soft or rest.aged.expires <= time.time():
            _ = self._followed.pop(key)
        elif now > rest.young_until:
            self._resolved.refresh(key, lambda _: self._ask(key, question))
