"""Lines of a server's log on their way to a reader: never more at once, nor longer, than somebody can be sent.

Called by the admin API. A server writes what it likes and as much as it likes, so a line is cut, a flood is slowed
down at its source, and a log that is followed ends after an hour: the reader asks again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

LONGEST_LINE: Final = 16 << 10
"""Bytes, its end among them."""
LINES_PER_S: Final = 1_000
MOST_BYTES: Final = 64 << 20
"""Of one answer."""
FOLLOWED_S: Final = 3_600.0
ALLOWED_EVERY_S: Final = 15.0
"""How often it is asked whether the reader may still read."""
GOES_ON: Final = b"[the log goes on; ask again]\n"
_CUT: Final = b" [cut]\n"


async def paced(
    lines: AsyncIterator[bytes], still_allowed: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes, None]:
    """The lines, one by one, with their ends. `still_allowed` raises for a reader who may not read any more."""
    began = allowed = time.monotonic()
    pace, left = _Pace(), MOST_BYTES
    while left > 0:
        try:
            async with asyncio.timeout(began + FOLLOWED_S - time.monotonic()):
                line = await anext(lines)
        except StopAsyncIteration:
            return
        except TimeoutError:
            break
        if time.monotonic() - allowed > ALLOWED_EVERY_S:
            await still_allowed()
            allowed = time.monotonic()
        await pace.kept()
        shown = line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - len(_CUT)] + _CUT
        left -= len(shown)
        yield shown
    yield GOES_ON


class _Pace:
    """So many lines in each second, and the next one waits for the next second."""

    def __init__(self) -> None:
        self._second, self._lines = time.monotonic(), 0

    async def kept(self) -> None:
        passed = time.monotonic() - self._second
        if self._lines >= LINES_PER_S and passed < 1.0:
            await asyncio.sleep(1.0 - passed)
            passed = 1.0
        if passed >= 1.0:
            self._second, self._lines = time.monotonic(), 0
        self._lines += 1
