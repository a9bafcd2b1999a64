"""The calls that run at one child: each under a number of ours, with what came for its caller so far.

Numbers, and not the callers' ids, are what the child sees: two callers may use the same id. A call whose caller has
left stays known for a while: its answer is nobody's, and as long as it may still run, nothing that the child says
without naming a call can be told to be of another.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from bridge.refused import Refused
from core.mcp.faults import MessageId

Json = dict[str, Any]
MOST_TOLD: Final = 1_000
MOST_TOLD_BYTES: Final = 4 << 20
"""Messages, and their bytes, that wait for a caller who reads slowly; beyond that only the answer gets through."""
LEFT_S: Final = 30.0
"""How long a call whose caller has left counts as running, unless its answer comes before."""


class TooManyCalls(Exception):
    """As many calls run at once as are allowed."""


class Call:
    """One request at the child, and what the child said to it."""

    __slots__ = (
        "_bytes", "_told", "_waiting", "id", "is_over", "listens", "number", "refused", "session_id", "token",
    )  # fmt: skip

    def __init__(self, number: int, request_id: MessageId, session_id: str | None, token: object) -> None:
        self.number, self.id, self.session_id, self.token = number, request_id, session_id, token
        """Our number; the caller's id, session and progress token."""
        self.is_over = False
        """Whether nothing more will come: the answer is there."""
        self.listens = False
        """Whether it is open only to hear of changes: nobody waits for its end."""
        self.refused: Refused | None = None
        """Why there is no answer of the server."""
        self._told: deque[tuple[Json, int]] = deque()
        self._bytes = 0
        self._waiting: asyncio.Future[None] | None = None

    def tell(self, message: Json, size: int) -> bool:
        """A message of so many bytes before the answer; False where it is left out."""
        if self.is_over or len(self._told) >= MOST_TOLD or self._bytes + size > MOST_TOLD_BYTES:
            return False
        self._add(message, size)
        return True

    def end(self, answer: Json) -> None:
        """The answer, in the caller's own id; a second one is not taken."""
        if not self.is_over:
            self.is_over = True
            self._add(answer, 0)

    def refuse(self, refused: Refused) -> None:
        """No answer will come."""
        if not self.is_over:
            self.refused = refused
            self.end(refused.body(self.id))

    async def next(self) -> Json:
        """The next message; the one without `method` is the answer, and the last."""
        while not self._told:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message, size = self._told.popleft()
        self._bytes -= size
        return message

    def _add(self, message: Json, size: int) -> None:
        self._told.append((message, size))
        self._bytes += size
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Calls:
    """The calls that run at one child, at most `most` at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[int, Call] = {}
        self._left: dict[int, float] = {}
        """Those whose callers have left, with the time at which they count as ended; the oldest first."""
        self._empty: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._running.values()))

    @property
    def awaited(self) -> int:
        """How many run whose answer somebody waits for."""
        return sum(not call.listens for call in self._running.values())

    def next_number(self) -> int:
        """A number that no other message has, and that the child cannot tell before it gets it: it could answer a
        call that is not made yet. Of 31 bits, as there are programs that know no longer ones.
        """
        while (number := secrets.randbits(31)) in self._running or number in self._left:
            pass
        return number

    def begin(self, request_id: MessageId, session_id: str | None, token: object) -> Call:
        """A call that is about to be sent. Raises TooManyCalls."""
        if len(self._running) >= self._most:
            raise TooManyCalls
        call = Call(self.next_number(), request_id, session_id, token)
        self._running[call.number] = call
        return call

    def of(self, number: object) -> Call | None:
        """The call with this number, as long as its caller waits."""
        return self._running.get(number) if isinstance(number, int) else None

    def _ended(self, number: int) -> Call | None:
        call = self._running.pop(number, None)
        if self._empty is not None and not self.awaited:
            self._empty.set()
        return call

    def answered(self, number: int) -> Call | None:
        """The call that has been answered, which runs no longer; None where nobody waits."""
        self._left.pop(number, None)
        return self._ended(number)

    def leave(self, call: Call) -> bool:
        """Its caller has left; False where it was answered before."""
        if self._ended(call.number) is None:
            return False
        self._left[call.number] = time.monotonic() + LEFT_S
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]
        return True

    async def idle(self, within_s: float) -> None:
        """Return once nobody waits for an answer, at the latest after so many seconds."""
        if self.awaited:
            self._empty = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._empty.wait()

    def sole(self) -> Call | None:
        """The call that runs if it is the only one, those whose callers have left included."""
        now = time.monotonic()
        while self._left and self._left[oldest := next(iter(self._left))] <= now:
            del self._left[oldest]
        return next(iter(self._running.values())) if len(self._running) == 1 and not self._left else None
