"""An event loop whose time is not the machine's: it passes at once, and only when nothing else is left to do.

    time = VirtualTime()
    loop = VirtualLoop(time)
    with time.everywhere():
        loop.run_until_complete(asyncio.sleep(600))  # takes no time
        loop.run_until_idle()                        # everything that can be done without time passing

For models of a worker with many hours in a second. Only for code without sockets: nothing is ever waited for.
"""

import asyncio
import selectors
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch


class VirtualTime:
    """Seconds, as `time.monotonic` and `time.time` give them to everybody."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_700_000_000

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """In place of the machine's, for modules that have it by name, too."""
        instead = {time.monotonic: self.monotonic, time.time: self.time}
        ours = [module for name, module in sys.modules.items() if name.startswith(("proxy.", "core."))]
        with ExitStack() as stack:
            for module in [time, *ours]:
                for name in ("monotonic", "time"):
                    found = vars(module).get(name)
                    if callable(found) and found in instead:
                        stack.enter_context(patch.object(module, name, instead[found]))
            yield


class _Jumping(selectors.DefaultSelector):
    """Where a loop would wait, time jumps to the next timer."""

    def __init__(self, clock: VirtualTime) -> None:
        super().__init__()
        self._clock = clock
        self.idle: asyncio.Future[None] | None = None

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if self.idle is not None:
            idle, self.idle = self.idle, None
            idle.set_result(None)
        elif timeout is None:
            return super().select(1.0)  # a thread has something to say
        else:
            self._clock.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. To be used while its time is `everywhere`."""

    def __init__(self, clock: VirtualTime) -> None:
        self._jumping = _Jumping(clock)
        super().__init__(self._jumping)

    def run_until_idle(self) -> None:
        """Run until nothing is left that could be done without time passing."""
        self._jumping.idle = idle = self.create_future()
        self.run_until_complete(idle)
