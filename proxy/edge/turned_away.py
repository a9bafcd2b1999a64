"""What a caller of the fast lane reads when its call is one too many: the usual refusal, made in advance.

At three times what it can serve, a worker refuses twice as many calls as it takes, so each microsecond of a refusal
is taken from a call. It says `overloaded` as `proxy/answers/refused.py` does, but keeps the connection, and is
counted and logged in the same places. Used by `fast_refusals.py`.
"""

import time
from typing import Final

from core.identifiers import new_id
from proxy.answers.refused import http_body
from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.answer_headers import own_headers
from proxy.exchange import Answer
from proxy.refusals import RETRY_AFTER_S, Refusal
from proxy.telemetry.counting import FAST_LANE

_PLACE: Final = "-" * 36
"""Where the request's identifier goes, and as long as one."""


class TurnedAway:
    """One worker's. The bytes are made anew each second, for their date."""

    __slots__ = ("_deps", "_heads", "_pieces", "_refusal", "_second")

    def __init__(self, deps: Deps, heads: AnswerHeads) -> None:
        self._deps, self._heads = deps, heads
        self._refusal = Refusal("overloaded", retry_after=RETRY_AFTER_S)
        self._second = -1
        self._pieces: list[bytes] = []

    def answer(self, address: str) -> bytes:
        """The whole answer to one call from this address."""
        second = int(time.time())
        if second != self._second:
            self._second, self._pieces = second, self._made()
        request_id = new_id()
        slots = self._deps.slots
        slots.add(FAST_LANE)
        slots.refused("overloaded")
        self._deps.refusal_log.note(address, self._refusal, request_id)
        return request_id.encode().join(self._pieces)

    def _made(self) -> list[bytes]:
        body = http_body(self._refusal, _PLACE)
        answer = Answer(self._refusal.row.status, body, {"Retry-After": str(RETRY_AFTER_S)})
        head = self._heads.of(answer, own_headers(_PLACE, "", frozenset()), close=False)
        return (head + body).split(_PLACE.encode())
