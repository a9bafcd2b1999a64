"""The calls of one connection that an overloaded worker refuses on their heads, without an exchange being made.

The connection goes on, since a caller who has to open another costs more than its call. For that the body is read
away if not much of it is missing; a longer one is left to the pipeline, which refuses and hangs up. A caller that was
refused comes again with the same head, which `HeadMemory` then knows, though it was never authenticated.
`FastConnection` asks only while `deps.overload.sheds`.
"""

from typing import Final

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_requests import IDLE_S, SKIPPING, FastRequests
from proxy.edge.turned_away import TurnedAway
from proxy.exchange import Head
from proxy.stages.admit import one_too_many

MOST_SKIPPED: Final = 64 << 10
"""How much of a body that nobody wants is waited for."""


class FastRefusals(FastRequests):
    """Those of one connection."""

    __slots__ = ("_turned_away",)

    def __init__(self, deps: Deps, answer_heads: AnswerHeads, turned_away: TurnedAway) -> None:
        super().__init__(deps, answer_heads)
        self._turned_away = turned_away

    def refused(self, head: Head, length: int, *, close: bool) -> bool | None:
        """Refuse a call that the pipeline would refuse so, and read its body away; what has come of it is in `_kept`.

        False where it was let in, and None where that is for the pipeline to say.
        """
        missing = length - len(self._kept)
        if close or missing > MOST_SKIPPED or self._deps.draining:
            return None
        too_many = one_too_many(head, self._deps)
        if not too_many:
            return too_many
        assert head.judged is not None
        self.transport.write(self._turned_away.answer(head.judged.address))
        if not missing and not self._full:  # nearly always: the next request begins where this one ends
            self._kept = b""
            self.within(IDLE_S)
            self.resume_reading()
            return True
        self._kept, self._state, self._closing = self._kept[length:], SKIPPING, False
        if missing > 0:
            self._length = missing
            self.skip_in_time()
            self.resume_reading()
        else:
            self._after_skipping()
        return True

    def skip(self, data: bytes) -> None:
        """More of the body; nothing of it is kept, and behind it may stand the next request."""
        missing, self._length = self._length, self._length - len(data)
        if self._length <= 0:
            self._kept = data[missing:]
            self._after_skipping()

    def skip_in_time(self) -> None:
        """The body has as long to come as one that is wanted."""
        self.within(self._deps.settings.body_seconds)

    def _after_skipping(self) -> None:
        self._length = self._size = 0
        if self._full:
            self.within(self._deps.settings.write_seconds)
        self._after_writing(not self._full)
