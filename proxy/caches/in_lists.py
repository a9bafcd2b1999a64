"""Questions that are asked in one round of the event loop, asked as one.

Used for what refreshes ask of Redis (`redis_copy.py`) and of control (`proxy/resolve/refreshes.py`); they come in one
round because a window let them through together (`window.py`). Each asker has its own answer, or its own failure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import inf
from typing import Generic, TypeAlias, TypeVar

from core.tasks import Tasks

Q = TypeVar("Q")
A = TypeVar("A")
Asker: TypeAlias = tuple[Q, asyncio.Future[A | None]]
"""Who waits in a list: their question, and where its answer is put."""


class InLists(Generic[Q, A]):
    """Asks `many` for all who ask in one round, at most `most` at a time; `tasks` owns the asking, under `name`.

    A list ends, too, where its questions would take more than `room` together; `room_of` says what each takes.
    Questions are hashable, and equal ones are asked once. `many` has a deadline of its own; what it raises is raised
    for each asker of that list.
    """

    def __init__(
        self,
        name: str,
        many: Callable[[list[Q]], Awaitable[Mapping[Q, A]]],
        tasks: Tasks,
        *,
        most: int = 100,
        room: float = inf,
        room_of: Callable[[Q], int] = lambda _: 0,
    ) -> None:
        self._name, self._many, self._tasks, self._most = name, many, tasks, most
        self._room, self._room_of = room, room_of
        self._waiting: list[Asker[Q, A]] = []

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
        for some in self._cut(waiting):
            _ = self._tasks.spawn(self._name, self._answer(some))

    def _cut(self, waiting: list[Asker[Q, A]]) -> Iterator[list[Asker[Q, A]]]:
        some: list[Asker[Q, A]] = []
        left = self._room
        for one in waiting:
            takes = self._room_of(one[0])
            if some and (len(some) == self._most or takes > left):
                yield some
                some, left = [], self._room
            some.append(one)
            left -= takes
        if some:
            yield some

    async def _answer(self, waiting: list[Asker[Q, A]]) -> None:
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
