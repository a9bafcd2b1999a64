"""One kind of answer of control, looked for in the order of cost: memory, the copy in Redis, control.

What workers before us left on disk goes into memory when it is asked for, as old as its soft age at least: news may
have been missed meanwhile, so it serves only where control cannot be asked. The same is done with an older copy from
Redis.

Used for verdicts on callers (`proxy/resolve/caller_verdicts.py`) and for installations
(`proxy/resolve/installations.py`).
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from core.keys import KeyRing
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.disk_copy import DiskCopy, Kept, newest
from proxy.caches.redis_copy import RedisCopy, SealedForm
from proxy.caches.two_ages import PATIENCE_S, Aged, SourceUnreachable, TwoAgeCache
from proxy.redis import Redis

V = TypeVar("V")
Concerns = Callable[[str, V], bool]
"""Whether a change concerns a key and its value."""
_ONCE_KNOWN = 50_000
_CHANGES = 512
_SKEW_S = 5.0
"""By how much the clocks of two proxies may differ."""


@dataclass(frozen=True, slots=True)
class _Sealed(Generic[V]):
    value: V
    asked: float
    kept: Kept


class LayeredCache(Generic[V]):
    """A two-age cache of control's answers, with its sealed copies in Redis and on disk."""

    def __init__(
        self,
        name: str,
        kind: type[V],
        *,
        size: int,
        soft: float,
        hard: float,
        ring: KeyRing,
        redis: Redis,
        redis_name: str,
        tasks: Tasks,
        patience: Callable[[], float] = lambda: PATIENCE_S,
        gathered: float = 0.0,
        form: int = 0,
    ) -> None:
        """`form`: of what copies say (`redis_copy.SealedForm`)."""
        self.memory: TwoAgeCache[V] = TwoAgeCache(
            name, size=size, soft=soft, hard=hard, tasks=tasks, patience=patience, gathered=gathered
        )
        self._form = SealedForm(ring, name, kind, form)
        self._copy = RedisCopy(redis, self._form, redis_name, hard, tasks)
        self._soft, self._hard, self._size = soft, hard, size
        self._patience = patience
        self._name = name
        self._from_disk: dict[str, Kept] = {}
        """What workers before us knew and nobody has asked for here."""
        self._unjudged: list[Concerns[V]] = []
        """Changes since then. A value is held against them where it is opened: to open all takes most of a second."""
        self._judged: tuple[list[Concerns[V]], int, list[str]] | None = None
        """What the last writing held the values against: which changes, how many, and the keys they concern."""
        self._sealed: dict[str, _Sealed[V]] = {}
        """What is on disk, so that a value is sealed once and not at each writing."""
        self._saved = 0
        self._once_known: Bounded[str, bool] = Bounded(_ONCE_KNOWN)
        self._changes: deque[tuple[float, Concerns[V]]] = deque()
        self._horizon = -inf

    async def get(self, key: str, ask: Callable[[bool], Awaitable[Aged[V]]]) -> V:
        """The value; `ask` is told whether this key is known here, however old. Raises SourceUnreachable."""
        self._recall(key)
        return await self.memory.get(key, lambda: self._look(key, ask))

    def fresh(self, key: str, ask: Callable[[bool], Awaitable[Aged[V]]]) -> V | None:
        """The value if memory has it fresh; keeps it so. `ask` may then wait for what else is asked just now."""
        return self.memory.fresh(key, lambda: self._look(key, ask, refresh=True))

    def refresh(self, key: str, ask: Callable[[bool], Awaitable[Aged[V]]]) -> None:
        """Have what memory holds asked for again, as a use of it does."""
        self.memory.refresh(key, lambda: self._look(key, ask, refresh=True))

    async def learn(self, key: str, aged: Aged[V]) -> None:
        """Hold what control has said outside of a question of ours here, and leave copies of it."""
        self._remember(key)
        _ = self.memory.put(key, aged)
        await self._copy.write(key, aged)

    async def replace(self, key: str, ask: Callable[[], Awaitable[Aged[V]]]) -> V:
        """Ask now, whatever is held, and hold what is said in its place. Where asking raises, all stays as it is."""
        drops = self.memory.drops
        aged = await self.memory.replace(key, ask)
        await self._keep(key, aged, drops, listed=False)
        return aged.value

    async def drop(self, key: str) -> None:
        """Forget one value everywhere."""
        self._note(lambda name, _: name == key)
        self.memory.drop(key)
        self._from_disk.pop(key, None)
        await self._copy.forget([key])

    async def drop_where(self, concerns: Concerns[V]) -> None:
        """Forget what `concerns`, everywhere."""
        self._note(concerns)
        keys = self.memory.drop_where(concerns)
        if self._from_disk:
            self._unjudged.append(concerns)
        if len(self._unjudged) >= _CHANGES:  # too many to be held against each value that is asked for
            for key in self._untrue(self._from_disk, self._unjudged):
                del self._from_disk[key]
            self._unjudged = []
        await self._copy.forget(keys)

    def load(self, disk: DiskCopy) -> None:
        """Have what the workers before us knew at hand; it is opened when asked for."""
        found = disk.read(self._name)
        self._from_disk = newest(((key, kept) for key, kept in found.items() if self._is_of_use(kept)), self._size)
        if found:
            self._saved = -1  # it must be in our own file before those of workers that have ended are removed

    def pending_write(self, disk: DiskCopy) -> Callable[[], None] | None:
        """What writes a copy of what we know for the next worker, on a thread; None if nothing changed since."""
        changes = self.memory.changes
        if changes == self._saved:
            return None
        self._let_untrue_go()
        now = time.time()
        # The copy has room for the first: what was used last.
        held = [(key, aged) for key, aged in self.memory.items()[::-1] if aged.expires > now]
        self._from_disk = {key: kept for key, kept in self._from_disk.items() if self._is_of_use(kept)}
        others, unjudged = dict(self._from_disk), self._unjudged
        number = len(unjudged)

        def write() -> None:
            untrue = self._untrue(others, unjudged[:number]) if number else []
            for key in untrue:  # the next worker does not hear of what changed before it
                del others[key]
            self._judged = unjudged, number, untrue
            # What is as it was is not sealed again; an age that is changed meanwhile is a change of its own.
            sealed = {key: self._sealed_once(key, aged.value, aged.asked, aged) for key, aged in held}
            self._sealed = sealed
            known = {key: one.kept for key, one in sealed.items()}
            room = max(0, self._size - len(known))
            known |= newest(((key, kept) for key, kept in others.items() if key not in known), room)
            if disk.write(self._name, known):
                self._saved = changes

        return write

    def _is_of_use(self, kept: Kept) -> bool:
        return time.time() - kept.asked < self._hard

    def _untrue(self, values: dict[str, Kept], changes: list[Concerns[V]]) -> list[str]:
        """The keys of the values that one of the changes concerns, or that cannot be opened."""
        opened = ((key, self._form.open(key, kept.content)) for key, kept in values.items())
        return [key for key, aged in opened if aged is None or any(one(key, aged.value) for one in changes)]

    def _let_untrue_go(self) -> None:
        """What a writing found to be untrue goes from memory too, and the changes that it looked at are done with."""
        if self._judged is None:
            return
        (changes, number, untrue), self._judged = self._judged, None
        if changes is self._unjudged:
            del changes[:number]
        for key in untrue:
            self._from_disk.pop(key, None)

    def _recall(self, key: str) -> None:
        """Put what is on disk for this key into memory, as something to be asked about."""
        kept = self._from_disk.pop(key, None)
        if kept is None or self.memory.holds(key):
            return
        aged = self._form.open(key, kept.content)
        if aged is not None and not any(concerns(key, aged.value) for concerns in self._unjudged):
            self._once_known.put(key, True)
            self._hold_doubted(key, aged)

    def _hold_doubted(self, key: str, aged: Aged[V]) -> None:
        if self.memory.usable(aged):
            doubted = min(aged.asked, time.monotonic() - self._soft)
            _ = self.memory.put(key, Aged(aged.value, doubted, aged.expires))

    def _sealed_once(self, key: str, value: V, asked: float, aged: Aged[V]) -> "_Sealed[V]":
        known = self._sealed.get(key)
        if known is not None and known.value is value and known.asked == asked:
            return known
        vouched = time.time() - (time.monotonic() - asked)
        return _Sealed(value, asked, Kept(vouched, self._form.close(key, aged)))

    def _note(self, concerns: Concerns[V]) -> None:
        now = time.monotonic()
        while self._changes and now - self._changes[0][0] > self._soft + _SKEW_S:
            self._changes.popleft()
        if len(self._changes) >= _CHANGES:
            self._horizon = self._changes.popleft()[0]
        self._changes.append((now, concerns))

    def _believable(self, key: str, copied: Aged[V]) -> bool:
        """Whether a copy is younger than every change of it that came here.

        Control removes the copies that a change makes untrue, but a worker that had asked just before may write its
        answer just after; until the change comes to that worker too, the copy lies there for everybody.
        """
        if copied.asked <= self._horizon + _SKEW_S:
            return False
        return not any(copied.asked <= at + _SKEW_S and concerns(key, copied.value) for at, concerns in self._changes)

    def _remember(self, key: str) -> None:
        """That a key was known is remembered longer than its value: its bearer is no stranger on the next call."""
        self._from_disk.pop(key, None)  # what was kept there is older than what we know now
        self._once_known.put(key, True)

    async def _look(self, key: str, ask: Callable[[bool], Awaitable[Aged[V]]], *, refresh: bool = False) -> Aged[V]:
        """What another worker asked within the soft age, else what control says. A refresh takes what is young: of
        what it is to replace there is a copy, too. It may wait for what else is asked just now."""
        drops = self.memory.drops
        copied = await self._copy.read(key, listed=refresh)
        if copied is not None and not self._believable(key, copied):
            self._remember(key)
            copied = None
        if copied is not None and self._serves(copied, refresh=refresh):
            self._remember(key)
            return copied
        if copied is not None and not self.memory.holds(key):
            self._hold_doubted(key, copied)
            if self._patience() <= 0 and self.memory.serves(key):
                raise SourceUnreachable  # nobody waits for control now; the next use of it asks
        known = copied is not None or key in self._once_known or self.memory.holds(key)
        try:
            aged = await ask(known)
        except SourceUnreachable:
            raise
        except Exception:
            if known:  # a stranger has left nothing behind that could be forgotten
                self._once_known.pop(key)
                await self._copy.forget([key])
            raise
        await self._keep(key, aged, drops, listed=refresh)
        return aged

    def _serves(self, copied: Aged[V], *, refresh: bool) -> bool:
        if refresh:
            return self.memory.is_young(copied)
        return self.memory.age(copied) < self._soft and self.memory.usable(copied)

    async def _keep(self, key: str, aged: Aged[V], drops: int, *, listed: bool) -> None:
        """Leave a copy of what control said, unless something was forgotten since it was asked: what was asked before
        a change may be about the past, and must not outlive that change in Redis."""
        if drops == self.memory.drops:
            await self._copy.write(key, aged, listed=listed)
            if drops != self.memory.drops:
                await self._copy.forget([key])
        self._remember(key)
