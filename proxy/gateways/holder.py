"""The gateways that this worker holds: loaded on first use, swapped whole, never replaced by an older revision.

A snapshot comes from Redis or, where that is away, behind or broken, from control; both are believed only with
control's signature. Whether a gateway exists at all is known from the index of the current epoch; without it control
is asked, else the answer is that we cannot tell (503), never that there is none (404).

A signature says who wrote, not when: an old index from Redis is as genuine as the newest. So every soft age control
itself is asked for its index, and only what control confirmed within the hard age is served.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from heapq import nsmallest

from core.gateway_answers import GatewayQuestion
from core.signing import Verifier
from core.single_flight import SingleFlight
from core.snapshot import Index, SnapshotBroken
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.disk_copy import DiskCopy
from proxy.caches.two_ages import SourceUnreachable
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.disk_snapshots import NAME, DiskSnapshots, to_keep
from proxy.gateways.newest_index import NewestIndex
from proxy.gateways.opening import opened
from proxy.gateways.redis_snapshots import document_in_redis
from proxy.gateways.retired_slugs import RetiredSlugs
from proxy.limits.budget import Budget
from proxy.redis import Redis
from proxy.redis_patience import ends_within
from proxy.refusals import Refusal, overloaded
from proxy.resolve.control_client import ControlClient

log = logging.getLogger(__name__)
_UNKNOWN_SIZE = 20_000
_UNKNOWN_S = 5.0
MOST_HELD = 5_000
MOST_BYTES = 256 << 20
"""Gateways in memory, and bytes of their documents; beyond, those longest unused are let go, and loaded again."""


class Gateways:
    """The gateways that one worker holds, by identifier and by slug."""

    def __init__(
        self,
        control: ControlClient,
        redis: Redis,
        verifier: Verifier,
        *,
        soft_age: float,
        max_stale: float,
        unknown_per_second: float,
        tasks: Tasks,
    ) -> None:
        self._control, self._redis, self._verifier, self._max_stale = control, redis, verifier, max_stale
        self._budget = Budget(unknown_per_second)
        self._by_name: dict[str, CompiledGateway] = {}
        self._retired = RetiredSlugs()
        self._documents: dict[str, bytes] = {}
        self._looking = SingleFlight[CompiledGateway | None]("look for gateway", tasks)
        self._loading = SingleFlight[CompiledGateway | None]("load gateway", tasks)
        self._unknown: Bounded[str, float] = Bounded(_UNKNOWN_SIZE)
        self._on_disk = DiskSnapshots(max_stale, MOST_HELD)
        self._document_bytes = self._changes = self._saved = self._index_revision = 0
        self.index_current = False
        """Whether the index is of the epoch that the change stream is in, with no news missed since."""
        self.unseen = False
        """Whether a gateway was announced that the index we know lacks."""
        self._newest = NewestIndex(control, redis, verifier, soft_age=soft_age)
        self._ids: dict[str, str] = {}
        self._revisions: dict[str, int] = {}
        """The newest revision that was announced or is in the index: nothing older is taken from Redis or disk."""
        self._rejected = self.hits = self.misses = 0
        self.used_age = 0.0
        """Seconds since what was used was known to be current, added up."""

    @property
    def rejected(self) -> int:
        """Documents that were not what they should be."""
        return self._rejected + self._newest.rejected

    def held(self, name: str) -> CompiledGateway | None:
        """The gateway by slug or identifier, if it is here and not too old. The warm path."""
        gateway = self._by_name.get(name)
        now = time.monotonic()
        if gateway is None or (age := now - gateway.confirmed) > self._max_stale:
            return None
        gateway.used = now
        self.hits += 1
        self.used_age += age
        return gateway

    def peek(self, name: str) -> CompiledGateway | None:
        """The gateway, if it is here; that is no use of it, and whether it may be used `held` says."""
        return self._by_name.get(name)

    def is_absent(self, name: str) -> bool:
        """Whether it is certain, without asking anybody, that there is no such gateway."""
        return self.index_current and self._id_of(name) is None

    async def load(self, name: str, address: str) -> CompiledGateway:
        """The gateway, fetched if need be; raises Refusal `gateway_unknown` or `gateway_unavailable`."""
        self.misses += 1
        until = self._unknown.get(name)
        if until is not None and until > time.monotonic():
            raise Refusal("gateway_unknown")
        if name not in self._loading and self._id_of(name) is None and not self._budget.take(address):
            raise overloaded()
        try:
            gateway = await self._looking.result(name, lambda: self._of_redis(name)) or await self._asked_for(name)
        except SourceUnreachable:
            # Only an index that is current can say that there is no such gateway.
            absent = self.index_current and self._id_of(name) is None
            raise Refusal("gateway_unknown" if absent else "gateway_unavailable") from None
        if gateway is None:
            self._unknown.put(name, time.monotonic() + _UNKNOWN_S)
            raise Refusal("gateway_unknown")
        return gateway

    async def _asked_for(self, name: str) -> CompiledGateway | None:
        """Control's, or the one on disk where control takes its time; None if control says that there is none."""
        loading = self._loading.run(name, lambda: self._of_control(name))
        kept = self._on_disk.find(self._identifier(name)) is not None
        late = kept and not await ends_within(loading, self._control.pulse.patience())
        if late and (gateway := await self._last_resort(name)) is not None:
            return gateway  # the question goes on, and its answer replaces what we take now
        _ = await asyncio.wait((loading,))
        return loading.result()

    async def refresh(self, gateway_id: str, revision: int) -> None:
        """Swap in the gateway's new revision where we hold an older one."""
        self._unknown.clear()
        self._note_unseen(gateway_id)
        if gateway_id and self._revisions.get(gateway_id, 0) < revision:
            self._revisions[gateway_id] = revision
        held = self._by_name.get(gateway_id)
        if held is None or held.snapshot.revision >= revision:
            return
        try:
            gateway = await self._of_redis(gateway_id) or await self._of_control(gateway_id)
        except SourceUnreachable:
            log.warning("a newer snapshot cannot be had", extra={"gateway": gateway_id, "revision": revision})
            return
        if gateway is None:
            self.forget(gateway_id)

    def _note_unseen(self, gateway_id: str) -> None:
        """An index that lacks a gateway, or may lack its new slug, cannot say that there is none, nor whose it is."""
        if gateway_id and (gateway_id not in self._ids or (self._retired and gateway_id not in self._by_name)):
            self.unseen = True
        if gateway_id not in self._by_name:
            self.index_current = False

    def forget(self, gateway_id: str) -> None:
        """Let go of a gateway that was deleted."""
        self._let_go(gateway_id)
        self._on_disk.forget(gateway_id)
        self._revisions.pop(gateway_id, None)
        self._ids = {name: found for name, found in self._ids.items() if found != gateway_id}

    async def compare(self, epoch: str) -> bool:
        """Bring all that we hold to the revisions of the index; whether that could be done."""
        index, confirmed = await self._newest.get(epoch, self._index_revision)
        if index is None:
            return False
        self._learn(index)
        revisions = {row.id: row.revision for row in index.gateways}
        for gateway_id in [key for key, held in self._by_name.items() if key == held.id]:
            if gateway_id not in revisions:
                self.forget(gateway_id)
                continue
            await self.refresh(gateway_id, revisions[gateway_id])
        self.index_current = True
        current = [held for held in self._by_name.values() if held.snapshot.revision >= revisions.get(held.id, 0)]
        if confirmed:
            for held in current:
                held.confirmed = self._newest.confirmed
        self._changes += 1
        return len(current) == len(self._by_name)

    def load_disk(self, disk: DiskCopy) -> None:
        """Have the snapshots of the workers before us at hand."""
        if self._on_disk.load(disk):
            self._saved = -1  # it must be in our own file before those of workers that have ended are removed

    def pending_write(self, disk: DiskCopy) -> Callable[[], None] | None:
        """What writes a copy of our snapshots for the next worker, on a thread; None if nothing changed since."""
        changes, ago = self._changes, time.time() - time.monotonic()
        if changes == self._saved:
            return None
        lately = sorted(self.all(), key=lambda one: one.used, reverse=True)  # the copy has room for the first
        held = [(one.id, one.snapshot.slug, self._documents[one.id], one.confirmed + ago) for one in lately]
        others = self._on_disk.still_of_use()

        def write() -> None:
            values = {key: to_keep(slug, document, confirmed) for key, slug, document, confirmed in held}
            values |= {key: kept for key, kept in others.items() if key not in values}
            if disk.write(NAME, values):
                self._saved = changes

        return write

    def all(self) -> list[CompiledGateway]:
        """What is held, each once."""
        return [gateway for name, gateway in self._by_name.items() if name == gateway.id]

    async def _of_redis(self, name: str) -> CompiledGateway | None:
        gateway_id = self._id_of(name)
        if gateway_id is None or time.monotonic() - self._newest.confirmed > self._max_stale:
            return None
        document = await document_in_redis(self._redis, gateway_id, self._revisions.get(gateway_id, 0))
        return None if document is None else await self._take(gateway_id, document, self._newest.confirmed)

    async def _of_control(self, name: str) -> CompiledGateway | None:
        try:
            answer = await self._control.gateway(GatewayQuestion(name))
        except SourceUnreachable:
            if (gateway := await self._last_resort(name)) is None:
                raise
            return gateway
        if not answer.document:
            self.forget(self._identifier(name))
            return None
        if (gateway := await self._take(answer.id, answer.document)) is None:
            raise SourceUnreachable
        gateway.confirmed = time.monotonic()
        if self._by_name.setdefault(name, gateway) is gateway:
            self._retired.note(gateway, name)
        self._changes += 1
        return gateway

    async def _take(self, gateway_id: str, document: bytes, confirmed: float | None = None) -> CompiledGateway | None:
        """Check, compile and swap in; None for a document that must not be used. What we hold then stays.

        `confirmed`: when what vouches for it was, where that is not now; a newer revision that was announced speaks
        against it.
        """
        try:
            compiled = await opened(document, gateway_id, self._verifier)
        except SnapshotBroken as broken:
            self._rejected += 1
            log.error("a snapshot was rejected", extra={"gateway": gateway_id, "why": str(broken)})
            return None
        if confirmed is not None and compiled.snapshot.revision < self._revisions.get(gateway_id, 0):
            return None
        if (held := self._by_name.get(gateway_id)) is not None:
            if held.snapshot.revision >= compiled.snapshot.revision:
                held.confirmed = max(held.confirmed, confirmed or 0.0)
                return held
            self._let_go(gateway_id)
        if confirmed is not None:
            compiled.confirmed = confirmed
        self._changes += 1
        if (other := self._by_name.get(compiled.snapshot.slug)) is not None:
            other.stands = False
        self._by_name[gateway_id] = self._by_name[compiled.snapshot.slug] = compiled
        self._documents[gateway_id] = document
        self._document_bytes += len(document)
        self._make_room()
        return compiled

    def _make_room(self) -> None:
        # A few more than must: looking for them costs as much as for one. The newest came to be used, so it stays.
        while len(self._documents) > MOST_HELD or (self._document_bytes > MOST_BYTES and len(self._documents) > 1):
            few = min(1 + MOST_HELD // 50, len(self._documents) - 1)
            for gateway in nsmallest(few, self.all(), key=lambda one: one.used):
                self._let_go(gateway.id)

    def _let_go(self, gateway_id: str) -> None:
        self._changes += 1
        gateway = self._by_name.pop(gateway_id, None)
        self._document_bytes -= len(self._documents.pop(gateway_id, b""))
        if gateway is not None:
            gateway.stands = False
            for name in (gateway.snapshot.slug, *self._retired.pop(gateway_id)):
                if self._by_name.get(name) is gateway:
                    del self._by_name[name]

    async def _last_resort(self, name: str) -> CompiledGateway | None:
        identifier = self._identifier(name)
        found = self._on_disk.find(identifier)
        return None if found is None else await self._take(identifier, found[0], time.monotonic() - found[1])

    def _identifier(self, name: str) -> str:
        return self._id_of(name) or self._on_disk.identifier(name)

    def _learn(self, index: Index) -> None:
        self.unseen = False
        self._index_revision = index.revision
        self._ids = {row.id: row.id for row in index.gateways} | {row.slug: row.id for row in index.gateways}
        self._revisions = {row.id: row.revision for row in index.gateways}
        self._retired.lead_elsewhere(self._by_name, self._ids)

    def _id_of(self, name: str) -> str | None:
        held = self._by_name.get(name)
        return held.id if held is not None else self._ids.get(name)
