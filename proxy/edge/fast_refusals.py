"""The calls of one connection that an overloaded worker refuses on their heads, without an exchange being made.

The connection goes on, since a caller who has to open another costs more than its call. For that the body is read
away if not much of it is missing; a longer one is left to the pipeline, which refuses and hangs up. Who was refused
comes again with the same head, which `HeadMemory` then knows, though it was never authenticated. Where it comes on
the same connection as well, not even that is asked: the bytes are those that were refused before.
`FastConnection` asks only while `deps.overload.sheds`.
"""

from typing import Final

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_requests import HEAD, IDLE_S, SKIPPING, FastRequests
from proxy.edge.turned_away import TurnedAway
from proxy.exchange import Head
from proxy.stages.admit import is_one_too_many, one_too_many

MOST_SKIPPED: Final = 64 << 10
"""How much of a body that nobody wants is waited for."""
MOST_REPEATED: Final = 4 << 10
"""How long a call may be, head and body, to be known again on its connection."""


class FastRefusals(FastRequests):
    """Those of one connection."""

    __slots__ = ("_again", "_turned_away")

    def __init__(self, deps: Deps, answer_heads: AnswerHeads, turned_away: TurnedAway) -> None:
        super().__init__(deps, answer_heads)
        self._turned_away = turned_away
        self._again: tuple[bytes, int, Head] | None = None
        """The block whose call was refused last, how much came with its body, and what it says; None once one was let
        in, for there is a credential in it."""

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

    def keep_refused(self, data: bytes, body_at: int, length: int, head: Head) -> None:
        """To know this call again, if all of it was there and it is as short as nearly all are."""
        short = self._state == HEAD and body_at + length <= MOST_REPEATED
        self._again = (data[:body_at], body_at + length, head) if short else None

    def repeated(self, data: bytes) -> bool:
        """Refuse or serve the same call again, if that is all there is in `data`: its head was judged before.

        Whether the token is still known is asked anew, by `is_one_too_many`; all that time changes, by the pipeline.
        """
        again, deps = self._again, self._deps
        assert again is not None
        block, whole, head = again
        if len(data) != whole or not data.startswith(block) or self._kept or self._full:
            return False
        if not deps.overload.sheds or deps.draining or head.judged is None:
            self._again = None
            return False
        if is_one_too_many(head.judged, deps):
            self.transport.write(self._turned_away.answer(head.judged.address))
            self.within(IDLE_S)
            return True
        self._again, self._kept = None, data[len(block) :]
        self.begin(head, whole - len(block), close=False, let_in=True)
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
