"""The publisher: what was committed reaches Redis, and so the proxies, within a second.

One runs in every replica of control, and each may die at any line. A round claims rows of the outbox, compiles what
they name in a transaction begun after the claim, stores the signed documents, appends the events, and only then
deletes the rows. A round that ends early leaves its rows for the next: events may come twice, never out of a hole,
and no document is replaced by an older one (`scripts.py`). A notification wakes the loop; it also looks by itself,
because a notification can be lost with its connection.

Copies in Redis that a change makes untrue: those of verdicts have names that follow from the change and go with the
event itself. Those of installations have to be searched for; they are noted in the same transaction and deleted right
after the event by `copies.py`, which keeps nobody's news waiting.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from control.publish.documents import DocumentTooLarge, GatewayDocument, gateway_document, index_document
from control.publish.epochs import ChangeStream, EpochOver, Happened, StreamHead
from control.redis import Redis, RedisAway
from control.registry.server_state import Place
from control.store.pool import Connection, Pool, StoreConflict, StoreUnavailable, transaction
from control.store.publication import ClaimedChange, claim_changes, digests_of, forget_changes, gateway_ids
from control.store.stale_copies import note
from core.changes import Kind
from core.identifiers import is_id
from core.redis_names import SNAPSHOT_TTL_S, verdict_key
from core.signing import Signer

log = logging.getLogger(__name__)

POLL_S: Final = 0.5
_CLAIM: Final = 100
_ROUND_WITHIN_S: Final = 20.0
_EVERYTHING_WITHIN_S: Final = 120.0
_REPUBLISH_S: Final = SNAPSHOT_TTL_S / 2
_AGAIN_AFTER_FAULT_S: Final = 60.0
_GIVE_WAY_S: Final = 0.05
_CREDENTIAL_KINDS: Final = frozenset({"user", "team", "client", "installation", "entry", "gateway"})
"""Changes after which an installation that a proxy left in Redis may be somebody's no longer."""

Documents = dict[str, GatewayDocument | None]
"""By gateway; None: it does not exist. What could not be compiled is not in it."""


class Steps(Protocol):
    """What is told after each step of a round; tests end the publisher there."""

    async def __call__(self, step: str, /) -> None:
        """`step` is `claimed`, `stored` or `announced`."""


async def _go_on(_: str) -> None:
    return None


def _nobody_waits() -> None:
    return None


class Publisher:
    """Publishes until cancelled. `wake` makes it look at once; it calls `copies_stale` when it noted some. `place`:
    where servers run that Archway runs itself.
    """

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        signer: Signer,
        *,
        place: Place | None = None,
        after: Steps = _go_on,
        copies_stale: Callable[[], None] = _nobody_waits,
    ) -> None:
        self._pool, self._signer, self._place = pool, signer, place
        self._stream = ChangeStream(redis, signer)
        self._after = after
        self._copies_stale = copies_stale
        self._woken = asyncio.Event()
        self._everything_at = float("-inf")
        self._fault = ""

    def wake(self) -> None:
        """Look at once: something was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Publish round after round until cancelled; faults of Redis and Postgres are logged once and waited out."""
        while True:
            self._woken.clear()
            try:
                await self.publish()
                self._note_fault("")
            except (EpochOver, StoreConflict):
                await asyncio.sleep(_GIVE_WAY_S)  # another replica was faster: look again
                continue
            except (RedisAway, StoreUnavailable, TimeoutError) as fault:
                self._note_fault(str(fault) or "took too long")
            except Exception:
                log.exception("publishing failed")  # the rows stay, and the log says so each time
            await self._rest()

    async def publish(self) -> None:
        """Publish all that is committed now.

        Raises RedisAway, StoreUnavailable, StoreConflict, EpochOver, or TimeoutError.
        """
        head = await self._stream.head()
        if not head.complete or time.monotonic() - self._everything_at > _REPUBLISH_S:
            async with asyncio.timeout(_EVERYTHING_WITHIN_S):
                head = await self._publish_everything(head)
        while True:
            async with asyncio.timeout(_ROUND_WITHIN_S):
                head, published = await self._publish_claimed(head)
            if published < _CLAIM:
                return

    async def _publish_everything(self, head: StreamHead) -> StreamHead:
        """Every gateway, then the index; in a new epoch one event too, which shows the epoch to all who listen."""
        self._everything_at = time.monotonic()
        newest: Happened = ("gateway", "", -1)  # where no gateway exists, the event still shows the epoch
        async with transaction(self._pool, readonly=True, isolation="repeatable_read") as reading:
            index = await index_document(reading, head.epoch, self._signer)
            for gateway_id in await gateway_ids(reading):
                document = (await self._compiled(reading, [gateway_id])).get(gateway_id)
                if document is not None:
                    await self._stream.store_gateway(document.id, document.revision, document.document)
                    newest = ("gateway", document.id, document.revision)
        head = await self._stream.announce(head, [] if head.complete else [newest], index=index, everything=True)
        log.info("everything published", extra={"epoch": head.epoch, "index_revision": index.revision})
        return head

    async def _publish_claimed(self, head: StreamHead) -> tuple[StreamHead, int]:
        async with transaction(self._pool) as claiming:
            changes = await claim_changes(claiming, _CLAIM)
            if not changes:
                return head, 0
            await self._after("claimed")
            head = await self._publish_changes(head, changes)
            await self._after("announced")
            await note(claiming, ((one.kind, one.name) for one in changes if _makes_copies_stale(one)))
            await forget_changes(claiming, [one.id for one in changes])
        self._copies_stale()
        return head, len(changes)

    async def _publish_changes(self, head: StreamHead, changes: Sequence[ClaimedChange]) -> StreamHead:
        touched, index = _names(changes, "gateway"), None
        async with transaction(self._pool, readonly=True, isolation="repeatable_read") as reading:
            documents = await self._compiled(reading, touched)
            if touched:
                index = await index_document(reading, head.epoch, self._signer)
            digests = await digests_of(reading, _names(changes, "user"), _names(changes, "team"))
        for gateway_id, document in documents.items():
            await self._store(gateway_id, document)
        for jti in sorted({one.name for one in changes if one.kind == "session"}):
            await self._stream.bury_session(jti)
        await self._after("stored")
        untrue = [verdict_key(digest) for digest in sorted({*digests, *_names(changes, "token")})]
        return await self._stream.announce(head, _events(changes, documents), index=index, untrue=untrue)

    async def _store(self, gateway_id: str, document: GatewayDocument | None) -> None:
        if document is None:
            await self._stream.remove_gateway(gateway_id)
        else:
            await self._stream.store_gateway(gateway_id, document.revision, document.document)

    async def _compiled(self, reading: Connection, gateways: Iterable[str]) -> Documents:
        """The documents; one that cannot be made keeps nobody else waiting, and proxies keep the one before."""
        documents: Documents = {}
        for gateway_id in gateways:
            try:
                documents[gateway_id] = await gateway_document(reading, gateway_id, self._signer, self._place)
            except (DocumentTooLarge, ValueError, TypeError, LookupError) as fault:
                log.exception("gateway not published", extra={"gateway": gateway_id, "fault": str(fault)})
                self._everything_at = time.monotonic() - _REPUBLISH_S + _AGAIN_AFTER_FAULT_S
        return documents

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            return

    def _note_fault(self, fault: str) -> None:
        if fault != self._fault:
            if fault:
                log.warning("publishing waits; changes stay in the outbox", extra={"fault": fault})
            else:
                log.info("publishing goes on")
        self._fault = fault


def _names(changes: Iterable[ClaimedChange], kind: Kind) -> list[str]:
    names = {one.name for one in changes if one.kind == kind}
    return sorted(name for name in names if kind == "token" or is_id(name))


def _makes_copies_stale(change: ClaimedChange) -> bool:
    return change.kind in _CREDENTIAL_KINDS and is_id(change.name)


def _events(changes: Iterable[ClaimedChange], documents: Documents) -> list[Happened]:
    """One event for each thing that changed, in the order in which it was written first."""
    happened: dict[tuple[Kind, str], Happened] = {}
    for one in changes:
        kind, name = one.kind, one.name
        if kind != "gateway":
            happened[kind, name] = (kind, name, one.revision)
        elif name in documents:
            document = documents[name]
            happened[kind, name] = (kind, name, -1 if document is None else document.revision)
    return list(happened.values())
