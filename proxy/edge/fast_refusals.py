"""The calls of one connection that an overloaded worker refuses on their heads, without an exchange being made.

The connection goes on, since a caller who has to open another costs more than its call. For that the body is read
away if not much of it is missing; a longer one is left to the pipeline, which refuses and hangs up. Who was refused
comes again with the same head, which `HeadMemory` then knows, though it was never authenticated. Where it comes on
the same connection as well, not even that is asked: the bytes are those that were refused before. How many are kept
has a cap, since strangers are refused too. `FastConnection` asks only while `deps.overload.sheds`.
"""

from dataclasses import dataclass
from typing import Final

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_requests import HEAD, IDLE_S, SKIPPING, FastRequests
from proxy.edge.turned_away import TurnedAway
from proxy.exchange import Head
from proxy.stages.admit import one_too_many, overload_refuses

MOST_SKIPPED: Final = 64 << 10
"""How much of a body that nobody wants is waited for."""
MOST_REPEATED: Final = 2 << 10
"""How long a call may be, head and body, to be known again on its connection."""
MOST_REFUSED: Final = 2048
"""On how many connections of a worker at once; on others its head is looked for in `HeadMemory`.

Each keeps its bytes, 2 KiB at most, and a head of at most 15 KiB (a hundred made-up headers), which is shared with
`HeadMemory` until it is forgotten there: 34 MiB were they all so, and 5 MiB as clients are.
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """The call that was refused last on a connection. There is a credential in it."""

    block: bytes
    """Its head, with the empty line behind it."""
    whole: int
    """How long head and body are."""
    head: Head


class FastRefusals(FastRequests):
    """Those of one connection."""

    __slots__ = ("_last_refused", "_turned_away")

    def __init__(self, deps: Deps, answer_heads: AnswerHeads, turned_away: TurnedAway) -> None:
        super().__init__(deps, answer_heads)
        self._turned_away = turned_away
        self._last_refused: Refused | None = None
        """None once a call was let in."""

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
        """To know this call again, if all of it was there, it is as short as nearly all are, and few are kept.

        Only for a head that `HeadMemory` keeps as well, and where nothing is kept here.
        """
        whole, turned_away = body_at + length, self._turned_away
        if self._state == HEAD and whole <= MOST_REPEATED and turned_away.kept < MOST_REFUSED:
            turned_away.kept += 1
            self._last_refused = Refused(data[:body_at], whole, head)

    def forget_refused(self) -> None:
        """Of what was refused here nothing is kept any more."""
        if self._last_refused is not None:
            self._last_refused = None
            self._turned_away.kept -= 1

    def refuse_or_serve_again(self, data: bytes) -> bool:
        """Refuse or serve the same call again, if that is all there is in `data`: its head was judged before.

        Whether the token is still known is asked anew, by `overload_refuses`; all that time changes, by the pipeline.
        """
        last, deps = self._last_refused, self._deps
        assert last is not None
        head = last.head
        if len(data) != last.whole or not data.startswith(last.block) or self._kept or self._full:
            return False
        if not deps.overload.sheds or deps.draining or head.judged is None:
            self.forget_refused()
            return False
        if overload_refuses(head.judged, deps):
            self.transport.write(self._turned_away.answer(head.judged.address))
            self.within(IDLE_S)
            return True
        self.forget_refused()
        self._kept = data[len(last.block) :]
        self.begin(head, len(self._kept), close=False, let_in=True)
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
