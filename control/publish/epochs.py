"""The change stream's epoch and the one place that writes to the stream.

An epoch is a random word under which events are numbered without holes. It ends when Redis lost it, or lost the last
of its events: then nothing that proxies hold can be trusted to be complete, and everything is published anew. Called
by the publisher; leaves out what is published (`documents.py`) and when (`publisher.py`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from control.publish.scripts import ANNOUNCE, BEGIN_EPOCH, LOOK, REMOVE_GATEWAY, STORE_GATEWAY
from control.redis import Courier
from core.changes import Change, Kind, sign_change
from core.courier import (
    CHANGES,
    CHANGES_HEAD,
    CHANGES_LENGTH,
    CHANGES_TTL_S,
    GONE_TTL_S,
    INDEX,
    SNAPSHOT_TTL_S,
    gone_key,
    snapshot_key,
)
from core.signing import Signer

_TRIES = 20
"""How often an append gives way to other replicas before the batch is left for the next round."""

Happened = tuple[Kind, str, int]
"""An event before it has an epoch and a number: kind, name, revision."""


class EpochOver(Exception):
    """Another epoch holds, or this one needs everything published first: look again and begin anew."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the stream stands."""

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
    """Looks at the stream, begins epochs, stores documents, appends events."""

    def __init__(self, courier: Courier, signer: Signer) -> None:
        self._courier, self._signer = courier, signer
        self._seen = Head("", 0, complete=False)

    async def head(self) -> Head:
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

    async def store_gateway(self, gateway_id: str, revision: int, document: bytes) -> bool:
        """Put a snapshot where proxies read it; False where a newer one, or the gateway's end, stands already."""
        keys = [snapshot_key(gateway_id), gone_key(gateway_id)]
        return bool(await self._courier.script(STORE_GATEWAY, keys, [revision, document, SNAPSHOT_TTL_S]))

    async def remove_gateway(self, gateway_id: str) -> None:
        """Take a deleted gateway's snapshot away."""
        await self._courier.script(REMOVE_GATEWAY, [snapshot_key(gateway_id), gone_key(gateway_id)], [GONE_TTL_S])

    async def announce(
        self,
        head: Head,
        happened: Sequence[Happened],
        *,
        index: IndexDocument | None = None,
        everything: bool = False,
        untrue: Sequence[str] = (),
    ) -> Head:
        """Append events, with the index (signed for `head.epoch`) and the keys that they make untrue.

        `everything`: all gateways were stored before, so that this index may be its epoch's first. Raises EpochOver.
        """
        for _ in range(_TRIES):
            answer = await self._courier.script(
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
                    *self._signed(head, happened),
                ],
            )
            if answer == b"done":
                self._seen = Head(head.epoch, head.number + len(happened), complete=True)
                return self._seen
            if answer != b"number":
                break
            found = await self._look()
            if found is None or found.epoch != head.epoch:
                break
            head = found
        raise EpochOver

    def _signed(self, head: Head, happened: Sequence[Happened]) -> list[bytes]:
        numbered = enumerate(happened, head.number + 1)
        return [
            sign_change(Change(head.epoch, number, kind, name, revision), self._signer)
            for number, (kind, name, revision) in numbered
        ]

    async def _look(self) -> Head | None:
        found = await self._courier.script(LOOK, [CHANGES_HEAD, INDEX], [])
        if not found:
            return None
        epoch, number, indexed = found[0].decode("utf-8", "replace"), int(float(found[1])), found[2]
        return Head(epoch, number, complete=indexed == found[0])

    async def _begin(self, *, ending: str) -> Head:
        await self._courier.script(BEGIN_EPOCH, [CHANGES_HEAD], [secrets.token_hex(8), CHANGES_TTL_S, ending])
        head = await self._look()
        if head is None:
            raise EpochOver
        self._seen = head
        return head
