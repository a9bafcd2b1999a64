"""Questions that are asked in one round of the event loop, asked as one.

Used for what refreshes ask of Redis (`redis_copy.py`) and of control (`proxy/resolve/refreshes.py`); they come in one
round because a window let them through together (`window.py`). Each asker has its own answer, or its own failure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from core.tasks import Tasks

Q = TypeVar("Q")
A = TypeVar("A")


class InLists(Generic[Q, A]):
    """Asks `many` for all who ask in one round, at most `most` at a time; `tasks` owns the asking, under `name`.

    Questions are hashable, and equal ones are asked once. `many` has a deadline of its own; what it raises is raised
    for each asker of that list.
    """

    def __init__(
        self, name: str, many: Callable[[list[Q]], Awaitable[Mapping[Q, A]]], tasks: Tasks, *, most: int = 100
    ) -> None:
        self._name, self._many, self._tasks, self._most = name, many, tasks, most
        self._waiting: list[tuple[Q, asyncio.Future[A | None]]] = []

    async def ask(self, question: Q) -> A | None:
        """The answer to this question; None where the list that came back has none."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            _ = loop.call_soon(self._send)
        answer: asyncio.Future[A | None] = loop.create_future()
        self._waiting.append((question, answer))
        return await answer

    def _send(self) -> None:
        waiting, self._waiting = [one for one in self._waiting if not one[1].done()], []
        for at in range(0, len(waiting), self._most):
            _ = self._tasks.spawn(self._name, self._answer(waiting[at : at + self._most]))

    async def _answer(self, waiting: list[tuple[Q, "asyncio.Future[A | None]"]]) -> None:
        try:
            answers = await self._many(list(dict.fromkeys(question for question, _ in waiting)))
        except asyncio.CancelledError:
            for _, answer in waiting:
                _ = answer.cancel()
            raise
        except Exception as failure:  # noqa: BLE001 - raised for each who asked
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for question, answer in waiting:
            if not answer.done():  # its asker has gone
                answer.set_result(answers.get(question))
