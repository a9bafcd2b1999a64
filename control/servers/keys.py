"""Keys that wait for work: each once, one worker at a time for each, and none more than once a second.

The queue of the loop (`loop.py`). It holds no reasons: whoever takes a key looks at what is so then. A key that comes
while it is worked on is worked on once more afterwards; one that failed comes again by itself, later and later.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from core.spreading import between

FIRST_AGAIN_S: Final = 1.0
LAST_AGAIN_S: Final = 300.0
SPACING_S: Final = 1.0
"""Between two tries of one key, however often it is woken: two that undo each other's work do so once a second."""


@dataclass(slots=True)
class _Key:
    """What is remembered of one key, for as long as there is something to remember."""

    tried_at: float = float("-inf")
    failures: int = 0
    waiting: asyncio.TimerHandle | None = None
    busy: bool = False
    again: bool = False
    """It came while it was busy."""


class Keys:
    """A queue of keys without duplicates, for workers that `take` one and say how it went by `done` or `failed`."""

    def __init__(self) -> None:
        self._known: dict[str, _Key] = {}
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._more = asyncio.Event()

    def __len__(self) -> int:
        """How many are ready or being worked on; not those that wait for a moment."""
        return len(self._ready) + sum(key.busy for key in self._known.values())

    def add(self, name: str, *, changed: bool = False) -> None:
        """Have it worked on. One that failed keeps waiting, unless what is wanted of it has `changed`."""
        key = self._known.setdefault(name, _Key())
        if changed:
            key.failures = 0
        if key.busy:
            key.again = True
        elif key.failures == 0 and name not in self._ready:
            self._wait(name, key, key.tried_at + SPACING_S - _now())

    async def take(self) -> str:
        """The next one, which is busy until `done` or `failed`."""
        while not self._ready:
            self._more.clear()
            await self._more.wait()
        name, _ = self._ready.popitem(last=False)
        key = self._known[name]
        key.busy, key.tried_at = True, _now()
        return name

    def done(self, name: str) -> None:
        """It is as it should be; what came meanwhile has it looked at again."""
        key = self._known[name]
        key.busy, key.failures = False, 0
        if key.again:
            key.again = False
            self._wait(name, key, SPACING_S)
        else:  # remembered until its spacing is over
            key.waiting = asyncio.get_running_loop().call_later(SPACING_S, self._forget, name)

    def failed(self, name: str) -> float:
        """It is not, and comes again in the seconds that this answers: 1 to 300, doubled each time, and spread."""
        key = self._known[name]
        key.busy = False
        pause = min(FIRST_AGAIN_S * 2**key.failures, LAST_AGAIN_S)
        pause = between(pause, 1.25 * pause)
        key.again = False
        key.failures = min(key.failures + 1, 20)
        self._wait(name, key, pause)
        return pause

    def close(self) -> None:
        """Let no timer wake a queue that nobody takes from."""
        for key in self._known.values():
            if key.waiting is not None:
                key.waiting.cancel()

    def _wait(self, name: str, key: _Key, seconds: float) -> None:
        if key.waiting is not None:
            key.waiting.cancel()
            key.waiting = None
        if seconds > 0:
            key.waiting = asyncio.get_running_loop().call_later(seconds, self._come, name)
        else:
            self._come(name)

    def _come(self, name: str) -> None:
        self._known[name].waiting = None
        self._ready[name] = None
        self._more.set()

    def _forget(self, name: str) -> None:
        del self._known[name]


def _now() -> float:
    return asyncio.get_running_loop().time()
