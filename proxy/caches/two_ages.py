"""A bounded cache whose values have two ages.

Younger than the soft age a value is used. From about half of it on, or of its life where that ends earlier, a use
starts a refresh off the call's path; from when exactly is drawn for each value, so that what was asked together is
not asked together again. Older, the source is asked first, and the value is used only if the source cannot be
reached, up to the hard age; that is counted. A source that has not answered within the patience counts as out of
reach: the value serves, the question goes on off the path, and nobody waits again before the source has answered
somebody. However many callers wait for one key, the source is asked once (single flight). Refreshes wait for each
other in a window, so that the source can be asked about many at once.

Not for single-use records such as codes or replay guards: those must refuse when their store is away.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from core.single_flight import SingleFlight
from core.spreading import between
from core.tasks import Tasks
from proxy.caches.meanwhile import Meanwhile, UnderWay
from proxy.caches.standing import Standing
from proxy.caches.window import Window
from proxy.redis_patience import ends_within

V = TypeVar("V")
PATIENCE_S = 0.5
"""How long a call that an older value could serve waits for the source. A source that works answers in a tenth of it;
while Redis is frozen, the looks into it that come before a question take another tenth."""

REFRESHED_FROM = (0.5, 0.6)
"""Between which shares of the soft age, or of its life, the one lies from which on a value is refreshed."""


class SourceUnreachable(Exception):
    """The source gave no answer; an older value may serve."""


@dataclass(slots=True)
class Aged(Generic[V]):
    """A cached value, when its source was asked, and when it expires."""

    value: V
    asked: float
    """`time.monotonic()` at which the source was asked."""
    expires: float = inf
    """Unix seconds after which it is nothing, whatever its age."""
    young_until: float = -inf
    """`time.monotonic()` from which on a use has it asked for again; drawn when it is held."""
    used: float = -inf
    """`time.monotonic()` at which it, or what it replaced, was used last."""
    stands: bool = True
    """False once it is held no more, or was doubted: what was decided with it is to be decided again."""


@dataclass(frozen=True, slots=True)
class Rest(Generic[V]):
    """A value on which something rests for as long as it stands, but no longer than it may be used."""

    aged: Aged[V]
    young_until: float
    """Monotonic time from which on a use should have it asked for again."""
    fresh_until: float
    """Monotonic time from which on it may not be used without asking."""


Ask = Callable[[], Awaitable[Aged[V]]]
"""Asks the source; raises SourceUnreachable."""


class TwoAgeCache(Generic[V]):
    """Values by text keys, each with an age; the least recently used go first when it is full.

    `young` gives what needs no question for a while, `fresh` what may be used at once, `get` that or the source's
    answer, `replace` the source's answer in any case. A refresh waits `gathered` seconds for others, unless somebody
    waits for it. `holds` asks for a value of any age, `expired` for none that could serve again, `usable` whether one
    may serve while the source is away.
    """

    def __init__(
        self,
        name: str,
        *,
        size: int,
        soft: float,
        hard: float,
        tasks: Tasks,
        patience: Callable[[], float] = lambda: PATIENCE_S,
        gathered: float = 0.0,
    ) -> None:
        self.name, self._patience = name, patience
        self.hits = self.misses = self.stale_uses = self.refreshes = 0
        self.used_age = 0.0
        """Seconds; the ages of what was used fresh, added up."""
        self.changes = 0
        """Rises whenever what is held becomes other than it was."""
        self._soft, self._hard = soft, hard
        self._held: Standing[str, Aged[V]] = Standing(size)
        self._asking = SingleFlight[Aged[V]](f"{name} refresh", tasks)
        self._window = Window(gathered)
        self._under_way = UnderWay[V]()
        self._drops = 0

    @property
    def drops(self) -> int:
        """Rises whenever something is dropped or doubted: what was asked before may be about the past."""
        return self._drops

    @property
    def asks(self) -> int:
        """How many values are being asked for just now."""
        return len(self._asking)

    def fresh(self, key: str, ask: Ask[V] | None = None) -> V | None:
        """The value if it is below its soft age; with `ask`, one that is not young is refreshed meanwhile."""
        aged = self._held.peek(key)
        if aged is None:
            return None
        now = time.monotonic()
        age = now - aged.asked
        if age >= self._soft or aged.expires <= time.time():
            return None
        self._held.touch(key)
        self.hits += 1
        self.used_age += age
        aged.used = now
        if ask is not None and now > aged.young_until:
            self.refresh(key, ask)
        return aged.value

    def refresh(self, key: str, ask: Ask[V]) -> None:
        """Ask for what is held again, off every path, if that is not done just now."""
        if key not in self._asking:
            self.refreshes += 1
            _ = self._asking.run(key, lambda: self._refresh(key, ask))

    def young(self, key: str) -> V | None:
        """The value if it is so young, about half of its soft age, that nothing need be asked about it."""
        aged = self._held.peek(key)
        if aged is None or (now := time.monotonic()) > aged.young_until or aged.expires <= time.time():
            return None
        self._held.touch(key)
        self.hits += 1
        self.used_age += now - aged.asked
        aged.used = now
        return aged.value

    async def get(self, key: str, ask: Ask[V]) -> V:
        """The value, asked for where it is not fresh; raises SourceUnreachable where nothing may serve."""
        value = self.fresh(key)
        if value is not None:
            return value
        self.misses += 1
        if (held := self._held.peek(key)) is not None:
            held.used = time.monotonic()
        if key in self._asking:
            self._window.hurry()
        asking = self._asking.run(key, lambda: self._ask(key, ask))
        if not await ends_within(asking, self._patience() if self.serves(key) else PATIENCE_S):
            if self.serves(key):  # not dropped since, or found meanwhile
                return self._stale(key)
            _ = await asyncio.wait((asking,))
        try:
            return asking.result().value
        except SourceUnreachable:
            if self.serves(key):
                return self._stale(key)
            raise

    async def replace(self, key: str, ask: Ask[V]) -> Aged[V]:
        """Ask the source now, whatever is held, and hold what it says. Where asking raises, all stays as it is."""
        with self._under_way.question() as meanwhile:
            aged = await ask()
        return self._taken(key, aged, meanwhile)

    def serves(self, key: str) -> bool:
        """Whether a value is held that may serve while its source is away."""
        aged = self._held.peek(key)
        return aged is not None and self.usable(aged)

    def usable(self, aged: Aged[V]) -> bool:
        """Whether a value may serve while its source is away: below its hard age, and not expired."""
        return time.monotonic() - aged.asked < self._hard and aged.expires > time.time()

    def is_young(self, aged: Aged[V]) -> bool:
        """Whether a value that is not held is so young that a use of it would not have it asked for again."""
        return time.monotonic() < self._young_until(aged, REFRESHED_FROM[0])

    def age(self, aged: Aged[V]) -> float:
        """Seconds since the source was asked."""
        return time.monotonic() - aged.asked

    def holds(self, key: str) -> bool:
        """Whether there is a value, of whatever age, expired or not."""
        return key in self._held

    def expired(self, key: str) -> bool:
        """Whether nothing is held, or only a value past its own expiry: nothing that could ever serve again."""
        aged = self._held.peek(key)
        return aged is None or aged.expires <= time.time()

    def put(self, key: str, aged: Aged[V]) -> Aged[V]:
        """Hold a value, making room for it; the younger of it and what is held, which is returned.

        A copy from Redis or disk may be older than what this worker learnt itself.
        """
        held = self._held.peek(key)
        if held is not None and held.asked > aged.asked:
            return held
        self.changes += 1
        aged.used = time.monotonic() if held is None else held.used
        aged.young_until = self._young_until(aged, between(*REFRESHED_FROM))
        self._held.put(key, aged)
        return aged

    def drop(self, key: str) -> None:
        """Forget one value; if it is being asked for now, that answer will not be held either."""
        self._drops += 1
        self.changes += 1
        self._held.pop(key)
        self._under_way.change(lambda name, _: name == key)
        self._asking.disown(key)

    def drop_where(self, concerns: Callable[[str, V], bool]) -> list[str]:
        """Forget every value that `concerns`; their keys. No such answer that is on its way will be held."""
        self._drops += 1
        self.changes += 1
        self._under_way.change(concerns)
        self._asking.disown_all()
        gone = [key for key, aged in self._held.items() if concerns(key, aged.value)]
        for key in gone:
            self._held.pop(key)
        return gone

    def doubt_all(self) -> None:
        """Age everything past its soft age: news may have been missed."""
        self._drops += 1
        self.changes += 1
        self._under_way.doubt()
        self._asking.disown_all()
        horizon = time.monotonic() - self._soft
        for aged in self._held.values():
            aged.asked, aged.young_until, aged.stands = min(aged.asked, horizon), -inf, False

    def rest(self, key: str) -> "Rest[V] | None":
        """What `young` has given just now, for who rests on it for a while."""
        aged = self._held.peek(key)
        return None if aged is None else Rest(aged, aged.young_until, aged.asked + self._soft)

    def stands_no_more(self, key: str) -> None:
        """The source has said something else: nobody may rest on what is held, which will go or be replaced."""
        self._held.doubt(key)

    def items(self) -> list[tuple[str, Aged[V]]]:
        """A copy of what is held, for the copy on disk."""
        return self._held.items()

    def __len__(self) -> int:
        return len(self._held)

    def _young_until(self, aged: Aged[V], share: float) -> float:
        lives = aged.expires - time.time() + time.monotonic() - aged.asked
        return aged.asked + share * min(self._soft, lives)

    def _stale(self, key: str) -> V:
        aged = self._held.peek(key)
        assert aged is not None
        self.stale_uses += 1
        return aged.value

    async def _refresh(self, key: str, ask: Ask[V]) -> Aged[V]:
        await self._window.turn()
        return await self._ask(key, ask)

    async def _ask(self, key: str, ask: Ask[V]) -> Aged[V]:
        with self._under_way.question() as meanwhile:
            try:
                aged = await ask()
            except SourceUnreachable:
                raise
            except Exception:
                self.changes += 1
                self._held.pop(key)  # the source said no: what we held is over, whatever its age
                self._under_way.change(lambda name, _: name == key)  # and what it said before that, too
                raise
        return self._taken(key, aged, meanwhile)

    def _taken(self, key: str, aged: Aged[V], meanwhile: Meanwhile[V]) -> Aged[V]:
        # An answer from before a change that we have since applied may be about the past: this call may use it,
        # since it came in before the change, but the next one asks again.
        if meanwhile.changed(key, aged.value):
            return aged
        if meanwhile.doubted:
            doubted = min(aged.asked, time.monotonic() - self._soft)
            _ = self.put(key, Aged(aged.value, doubted, aged.expires))
            return aged
        return self.put(key, aged)
