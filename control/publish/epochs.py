"""The change stream's epoch and the one place that writes to the stream.

An epoch is a random word under which events are numbered without holes. It ends when Redis lost it, or lost the last
of its events, or can append none any more: then nothing that proxies hold can be trusted to be complete, and
everything is published again. Called by the publisher; leaves out what is published (`documents.py`) and when
(`publisher.py`).
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from control.publish.newer import is_newer_gateway, is_newer_index
from control.publish.scripts import (
    ANNOUNCE,
    BEGIN_EPOCH,
    BURY_SESSION,
    LOOK,
    REMOVE_GATEWAY,
    SHOW_INDEX,
    STORE_GATEWAY,
)
from control.redis import Redis
from core.changes import Change, Kind, sign_change
from core.redis_names import (
    CHANGES,
    CHANGES_HEAD,
    CHANGES_LENGTH,
    CHANGES_TTL_S,
    GONE_TTL_S,
    INDEX,
    SNAPSHOT_TTL_S,
    TOMBSTONE_TTL_S,
    gone_key,
    snapshot_key,
    tombstone_key,
)
from core.signing import Signer, Verifier
from core.snapshot import MAX_BYTES

log = logging.getLogger(__name__)

_TRIES = 20
"""How often an append gives way to other replicas before the batch is left for the next round."""

Happened = tuple[Kind, str, int]
"""An event before it has an epoch and a number: kind, name, revision."""


class EpochOver(Exception):
    """Another epoch holds, or this one needs everything published first: look again and start over."""


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Where the change stream stands: its epoch, its last number, and whether all was published in it."""

    epoch: str
    number: int
    complete: bool
    """Everything was published in this epoch, its index last."""


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """A signed index with what the script compares."""

    revision: int
    document: bytes


class ChangeStream:
    """The writer of the change stream: begins epochs, stores documents, appends events."""

    def __init__(self, redis: Redis, signer: Signer) -> None:
        self._redis, self._signer = redis, signer
        self._verifier = Verifier("the public half of ARCHWAY_SIGNING_KEY", signer.public_keys)
        self._seen = StreamHead("", 0, complete=False)

    async def head(self) -> StreamHead:
        """The head that holds now; begins an epoch where there is none or where Redis lost events of this one."""
        head = await self._look()
        if head is None:
            return await self._begin(ending="")
        if head.epoch == self._seen.epoch and head.number < self._seen.number:
            # A failover to a replica that had not yet seen the last events: nobody can say who read them.
            return await self._begin(ending=head.epoch)
        self._seen = head
        return head

    async def epoch(self) -> str:
        """The epoch that holds, without beginning one; '' where there is none."""
        head = await self._look()
        return head.epoch if head is not None else ""

    async def position(self) -> StreamHead | None:
        """Where the stream stands, without beginning an epoch; None where there is none."""
        return await self._look()

    async def store_gateway(self, gateway_id: str, revision: int, document: bytes) -> bool:
        """Put a snapshot where proxies read it; False where a newer one, or the gateway's end, stands already.

        Raises EpochOver where what stands there changes all the time.
        """
        keys, disbelieved = [snapshot_key(gateway_id), gone_key(gateway_id)], b""
        for _ in range(_TRIES):
            answer = await self._redis.script(
                STORE_GATEWAY, keys, [revision, document, SNAPSHOT_TTL_S, disbelieved, MAX_BYTES]
            )
            if isinstance(answer, int):
                return bool(answer)
            disbelieved, held = answer
            if is_newer_gateway(held, gateway_id, revision, self._verifier):
                return False
            log.warning("redis claims a newer gateway, which we did not sign", extra={"gateway": gateway_id})
        raise EpochOver

    async def remove_gateway(self, gateway_id: str) -> None:
        """Take a deleted gateway's snapshot away."""
        await self._redis.script(REMOVE_GATEWAY, [snapshot_key(gateway_id), gone_key(gateway_id)], [GONE_TTL_S])

    async def bury_session(self, jti: str) -> None:
        """Leave the mark of a client's session that has ended, for workers that meet it later."""
        await self._redis.script(BURY_SESSION, [tombstone_key(jti)], [TOMBSTONE_TTL_S])

    async def announce(
        self,
        head: StreamHead,
        happened: Sequence[Happened],
        *,
        index: IndexDocument | None = None,
        everything: bool = False,
        untrue: Sequence[str] = (),
    ) -> StreamHead:
        """Append events, with the index (signed for `head.epoch`) and the keys that they make untrue.

        `everything`: all gateways were stored before, so that this index may be its epoch's first. Raises EpochOver.
        """
        disbelieved = b""
        for _ in range(_TRIES):
            answer = await self._redis.script(
                ANNOUNCE,
                [CHANGES_HEAD, CHANGES, INDEX, *untrue],
                [
                    head.epoch,
                    head.number,
                    "1" if everything else "0",
                    index.revision if index else 0,
                    index.document if index else b"",
                    SNAPSHOT_TTL_S,
                    CHANGES_LENGTH,
                    CHANGES_TTL_S,
                    disbelieved,
                    *self._signed(head, happened),
                ],
            )
            if answer == b"done":
                self._seen = StreamHead(head.epoch, head.number + len(happened), complete=True)
                return self._seen
            if answer == b"index" and index is not None:
                disbelieved, held = await self._redis.script(SHOW_INDEX, [INDEX], [MAX_BYTES])
                if is_newer_index(held, head.epoch, index.revision, self._verifier):
                    index = None
                else:
                    log.warning("redis claims a newer index, which we did not sign")
                continue
            if answer == b"stream":
                log.warning("redis takes no more changes on their stream; it begins again")
            if answer != b"number":
                break
            found = await self._look()
            if found is None or found.epoch != head.epoch:
                break
            head = found
        raise EpochOver

    def _signed(self, head: StreamHead, happened: Sequence[Happened]) -> list[bytes]:
        numbered = enumerate(happened, head.number + 1)
        return [
            sign_change(Change(head.epoch, number, kind, name, revision), self._signer)
            for number, (kind, name, revision) in numbered
        ]

    async def _look(self) -> StreamHead | None:
        found = await self._redis.script(LOOK, [CHANGES_HEAD, INDEX], [])
        if not found:
            return None
        epoch, number, indexed = found[0].decode(), int(found[1]), found[2]
        return StreamHead(epoch, number, complete=indexed == found[0])

    async def _begin(self, *, ending: str) -> StreamHead:
        await self._redis.script(BEGIN_EPOCH, [CHANGES_HEAD], [secrets.token_hex(8), CHANGES_TTL_S, ending])
        head = await self._look()
        if head is None:
            raise EpochOver
        self._seen = head
        return head
