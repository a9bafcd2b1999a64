"""The calls of one connection that an overloaded worker refuses on their heads, without an exchange being made.

The connection goes on, since a caller who has to open another costs more than its call. For that the body is read
away if not much of it is missing; a longer one is left to the pipeline, which refuses and hangs up. Who was refused
comes again with the same head, which is then known. Nothing of this is looked at unless `deps.overload.sheds`.
Used by `FastConnection`.
"""

from typing import Final

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_requests import SKIPPING, FastRequests
from proxy.edge.head_rules import PlainHead
from proxy.edge.repeated_head import RepeatedHead, repeated_head
from proxy.edge.turned_away import TurnedAway
from proxy.exchange import Head
from proxy.stages.admit import one_too_many

MOST_SKIPPED: Final = 64 << 10
"""How much of a body that nobody wants is waited for."""


class FastRefusals(FastRequests):
    """Those of one connection."""

    __slots__ = ("_refused", "_turned_away")

    def __init__(self, deps: Deps, answer_heads: AnswerHeads, turned_away: TurnedAway) -> None:
        super().__init__(deps, answer_heads)
        self._turned_away = turned_away
        self._refused: RepeatedHead | None = None
        """The last head that was refused. What it is was never authenticated, so it serves refusals alone."""

    def refused_again(self, accepted: RepeatedHead | None, data: bytes, end: int) -> bool:
        """Refuse a call whose head, which ends at `end`, is that of the last one, accepted or not."""
        for known in (accepted, self._refused):
            length = known.length_in(data, end) if known is not None else -1
            if known is not None and length >= 0:
                return self._refuse(known.plain, known.head, length, data[end + 4 :])
        return False

    def refused_on_head(self, plain: PlainHead, head: Head, length: int, block: bytes) -> bool:
        """Refuse a call of which the pipeline would say the same; `block` is its head, what came behind is kept."""
        refused = self._refuse(plain, head, length, self._kept)
        if refused:
            self._refused = repeated_head(block, plain, head)
        return refused

    def skip(self, data: bytes) -> None:
        """More of the body; nothing of it is kept, and behind it may stand the next request."""
        missing, self._length = self._length, self._length - len(data)
        if self._length <= 0:
            self._kept = data[missing:]
            self._after_skipping()

    def skip_in_time(self) -> None:
        """The body has as long to come as one that is wanted."""
        self.within(self._deps.settings.body_seconds)

    def _refuse(self, plain: PlainHead, head: Head, length: int, behind: bytes) -> bool:
        missing = length - len(behind)
        if plain.close or missing > MOST_SKIPPED or self._deps.draining or not one_too_many(head, self._deps):
            return False
        assert head.judged is not None
        self._kept, self._state, self._closing = behind[length:], SKIPPING, False
        self.put(self._turned_away.answer(head.judged.address), b"")
        if missing > 0:
            self._length = missing
            self.skip_in_time()
            self.resume_reading()
        else:
            self._after_skipping()
        return True

    def _after_skipping(self) -> None:
        self._length = self._size = 0
        if self._full:
            self.within(self._deps.settings.write_seconds)
        self._after_writing(not self._full)
