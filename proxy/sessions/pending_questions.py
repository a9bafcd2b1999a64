"""Questions of servers that legacy callers were asked on the streams of their calls, until they answer.

A client answers by a POST of its own, which may reach another worker: `proxy/answers/responses.py` looks here, and
sends what is for another worker by the mailbox. Each question is for one session, under an identifier that nobody can
guess, so that nobody answers another's. Bounded in number, for each caller and in all; the time is for who asks.
"""

import asyncio
from typing import Final

import orjson

from core.identifiers import new_id
from proxy.limits.budget import Budget
from proxy.limits.shares import Shares, quarter
from proxy.refusals import overloaded

MOST: Final = 2_000
"""Questions that one worker waits for."""
LETTERS_PER_S: Final = 50.0
"""Answers that may go from one worker to all the others, which read each of them."""
LETTER_BYTES_PER_S: Final = 4 << 20
"""Of these together."""
_MARK: Final = "archway-"
Answered = dict[str, object]
"""`result` or `error`, as the client said it."""


class PendingQuestion:
    """A question that somebody was asked, or is about to be. Used as a context, in which its answer can come."""

    __slots__ = ("_pending", "answer", "id", "jti", "principal")

    def __init__(self, pending: "PendingQuestions", jti: str, principal: str) -> None:
        self._pending, self.jti, self.principal = pending, jti, principal
        self.id = _MARK + new_id()
        self.answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> "PendingQuestion":
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.end(self)


class PendingQuestions:
    """The questions that wait in one worker."""

    def __init__(self) -> None:
        self._waiting: dict[str, PendingQuestion] = {}
        self._shares = Shares()
        self._letters, self._letter_bytes = Budget(LETTERS_PER_S), Budget(LETTER_BYTES_PER_S)

    def begin(self, jti: str, principal: str) -> PendingQuestion:
        """A question for this session. Raises Refusal `overloaded` where too many wait."""
        if not self._shares.take(principal, 1, most=MOST, share=quarter(MOST)):
            raise overloaded()
        question = PendingQuestion(self, jti, principal)
        self._waiting[question.id] = question
        return question

    def end(self, question: PendingQuestion) -> None:
        """Nobody waits for its answer any more."""
        if self._waiting.pop(question.id, None) is not None:
            self._shares.give_back(question.principal, 1)
        if not question.answer.done():
            question.answer.cancel()

    def answer(self, jti: str, identifier: object, answered: Answered) -> bool:
        """An answer came from this session; False where none is waited for here under this identifier."""
        question = self._waiting.get(identifier) if isinstance(identifier, str) else None
        if question is None or question.jti != jti:
            return False
        if not question.answer.done():
            question.answer.set_result(answered)
        return True

    def end_session(self, jti: str) -> None:
        """Nobody of this session will answer."""
        for question in [one for one in self._waiting.values() if one.jti == jti]:
            question.answer.cancel()

    def may_send(self, principal: str, size: int) -> bool:
        """Whether a letter of so many bytes may go to the other workers for this caller: an answer, for example."""
        return self._letters.take(principal) and self._letter_bytes.take(principal, size)

    def __len__(self) -> int:
        return len(self._waiting)


def may_be_ours(identifier: object) -> bool:
    """Whether a worker may have asked under this identifier."""
    return isinstance(identifier, str) and identifier.startswith(_MARK) and len(identifier) <= 64


def answered_in(body: bytes) -> Answered:
    """The answer in a letter of another worker."""
    answered = orjson.loads(body)
    assert isinstance(answered, dict)  # sealed by a worker
    return answered
