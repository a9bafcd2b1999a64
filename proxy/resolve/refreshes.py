"""What control is asked about values that are held and still young enough: in lists, and off every call's path.

`caller_verdicts.py` and `installations.py` ask here when a value is refreshed; what a call waits for they ask control
at once. A control of the version before lists answers such a question as it answers a stranger: then it is asked one
by one, and no list is tried for a while. So is each question that a list left unanswered.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from core.resolve import MOST_IN_A_LIST
from core.tasks import Tasks
from proxy.caches.in_lists import InLists
from proxy.resolve.control_client import ListsUnknown

log = logging.getLogger(__name__)
Q = TypeVar("Q")
A = TypeVar("A")
ONE_BY_ONE_S: Final = 60.0
"""For how long no list is tried of a control that knew none."""
GATHERED_S: Final = 0.05
"""For how long a refresh waits for others. A value is refreshed many seconds before it could not be used any more."""
MOST_BYTES: Final = 512 << 10
"""Of one list: half of what control reads (`core/internal_call.py`). A hundred signed tokens may take more."""


class Refreshes(Generic[Q, A]):
    """One kind of question of refreshes to control. `one` asks it, `many` asks a list; `questions` counts both.

    `room_of` says how many bytes a question takes in a list.
    """

    def __init__(
        self,
        name: str,
        one: Callable[[Q], Awaitable[A]],
        many: Callable[[list[Q]], Awaitable[dict[Q, A]]],
        tasks: Tasks,
        *,
        room_of: Callable[[Q], int] = lambda _: 0,
    ) -> None:
        self.questions = 0
        self._name, self._one, self._many = name, one, many
        self._lists = InLists[Q, A](
            f"{name} refreshes", self._asked, tasks, most=MOST_IN_A_LIST, room=MOST_BYTES, room_of=room_of
        )
        self._one_by_one_until = 0.0

    async def ask(self, question: Q) -> A:
        """Control's answer; raises SourceUnreachable."""
        if time.monotonic() >= self._one_by_one_until:
            try:
                answer = await self._lists.ask(question)
            except ListsUnknown:
                answer = None
            if answer is not None:
                return answer
        self.questions += 1
        return await self._one(question)

    async def _asked(self, questions: list[Q]) -> dict[Q, A]:
        self.questions += 1
        if len(questions) == 1:
            return {questions[0]: await self._one(questions[0])}
        try:
            return await self._many(questions)
        except ListsUnknown:
            self._one_by_one_until = time.monotonic() + ONE_BY_ONE_S
            log.info("control knows no lists of questions yet", extra={"kind": self._name})
            raise
