"""Fifty callers who go on calling while something is broken, and what became of their calls.

async with calling(system) as load:          # all of them have been answered once, through their proxy
    ...                                      # break something
    await load.go_on(2.5)                    # seconds in which every caller goes on calling
assert load.failed == Counter()
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core.tasks import Tasks
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, Person, System

PAUSE_S = 0.12
"""Between two calls of one caller: some 400 calls a second in all, which two cores bear beside the tests."""
SETTLES_S = 0.8
"""Two soft ages of these tests: what Redis was too slow to take at first, it has been offered again."""


class Load:
    """The callers, each bound to one proxy."""

    def __init__(self, system: System, people: Sequence[Person], proxies: Sequence[int]) -> None:
        self._system, self._people, self._proxies = system, people, proxies
        self.failed: Counter[str] = Counter()
        self.answered = 0
        self.request_ids: list[str] = []
        """Of every call that had an answer, good or bad."""
        self.slowest = 0.0
        self._rounds = [0] * len(people)
        self._stopping = False

    async def warm(self) -> None:
        """Everybody is answered once by each proxy that is called later."""
        for proxy in self._proxies:
            outcomes = await asyncio.gather(*(self._system.call(one, proxy=proxy) for one in self._people))
            assert not [(number, one) for number, one in enumerate(outcomes) if one.status != "ok"]
            self.request_ids += [one.request_id for one in outcomes]

    async def go_on(self, seconds: float) -> None:
        """Let that much time pass, and see every caller answered in it: a load that stands still must not pass."""
        before = list(self._rounds)
        await asyncio.sleep(seconds)

        async def all_went_on() -> bool:
            return all(now > then for now, then in zip(self._rounds, before, strict=True))

        await eventually(all_went_on, 60, "every caller is answered")

    async def _caller(self, number: int) -> None:
        person, proxy = self._people[number], self._proxies[number % len(self._proxies)]
        await asyncio.sleep(PAUSE_S * number / len(self._people))
        while not self._stopping:
            self._note(await self._system.call(person, proxy=proxy))
            self._rounds[number] += 1
            await asyncio.sleep(PAUSE_S)

    def _note(self, outcome: Outcome) -> None:
        self.slowest = max(self.slowest, outcome.took)
        if outcome.request_id:
            self.request_ids.append(outcome.request_id)
        if outcome.status == "ok":
            self.answered += 1
        else:
            self.failed[f"{outcome.status} {outcome.sentence}".strip()] += 1


@asynccontextmanager
async def calling(
    system: System, *, people: Sequence[Person] | None = None, proxies: Sequence[int] = (0,)
) -> AsyncIterator[Load]:
    """The load, warm, settled and running; it ends with its last calls answered."""
    load = Load(system, people or system.people, proxies)
    await load.warm()
    tasks = Tasks("load")
    callers = [tasks.spawn("caller", load._caller(number)) for number in range(len(load._people))]
    try:
        await load.go_on(SETTLES_S)
        yield load
    finally:
        load._stopping = True
        await asyncio.gather(*callers)


async def all_served(system: System, proxy: int, within: float = 60.0) -> None:
    """Everybody is answered by this proxy; who is told to retry soon does so.

    A worker that starts is asked by all at once, has only 50 ms for each look into Redis, and waits a second and
    more for each question to a control whose database is frozen.
    """

    async def served(person: Person) -> None:
        async def is_served() -> bool:
            outcome = await system.call(person, proxy=proxy)
            assert outcome.status in {"ok", "http 503", "credential_unavailable"}, outcome
            return outcome.status == "ok"

        await eventually(is_served, within, "a known caller is served by the new worker")

    await asyncio.gather(*(served(person) for person in system.people))
