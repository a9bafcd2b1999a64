"""The calls that an overloaded worker refuses on their heads alone, without an exchange: which, and with what bytes.

At three times what it can serve, a worker refuses twice as many calls as it takes, so each microsecond of a refusal
is taken from a call. The connection goes on, since a caller that has to open another costs more than its call; for
that its body is read away, if not much of it is missing. A longer one is left to the pipeline, which refuses and
hangs up. The answer says `overloaded` as `proxy/answers/refused.py` does, is made in advance, and is counted and
logged in the same places. Asked by `FastConnection`, only while `deps.overload.sheds`.
"""

import time
from typing import Final

from core.identifiers import new_id
from proxy.answers.refused import http_body
from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.answer_headers import own_headers
from proxy.exchange import Answer, Head
from proxy.refusals import RETRY_AFTER_S, overloaded
from proxy.stages.admit import one_too_many
from proxy.telemetry.counting import FAST_LANE

MOST_SKIPPED: Final = 64 << 10
"""How much of a body that nobody wants is waited for."""
_PLACE: Final = "-" * 36
"""Where the request's identifier goes, and as long as one."""


class OverloadRefusals:
    """One worker's refusals of calls that are one too many. The bytes are made again each second, for their date."""

    __slots__ = ("_deps", "_heads", "_pieces", "_refusal", "_second")

    def __init__(self, deps: Deps, heads: AnswerHeads) -> None:
        self._deps, self._heads = deps, heads
        self._refusal = overloaded()
        self._second = -1
        self._pieces: list[bytes] = []

    def ask(self, head: Head, missing: int, *, close: bool) -> bytes | bool:
        """The whole answer to a call that is refused here; else whether it was let in (`Exchange.let_in`).

        False leaves that to the pipeline. `missing`: how much of the body has not come; `close`: whether the
        connection ends with this call in any case.
        """
        if close or missing > MOST_SKIPPED or self._deps.draining:
            return False
        too_many = one_too_many(head, self._deps)
        if not too_many:
            return too_many is not None
        assert head.judged is not None
        return self.answer(head.judged.address)

    def answer(self, address: str) -> bytes:
        """The whole answer to one call from this address."""
        second = int(time.time())
        if second != self._second:
            self._second, self._pieces = second, self._made()
        request_id = new_id()
        slots = self._deps.slots
        slots.add(FAST_LANE)
        slots.count_refusal("overloaded")
        self._deps.refusal_log.note(address, self._refusal, request_id)
        return request_id.encode().join(self._pieces)

    def _made(self) -> list[bytes]:
        body = http_body(self._refusal, _PLACE)
        answer = Answer(self._refusal.row.status, body, {"Retry-After": str(RETRY_AFTER_S)})
        head = self._heads.of(answer, own_headers(_PLACE, "", frozenset()), close=False)
        return (head + body).split(_PLACE.encode())
