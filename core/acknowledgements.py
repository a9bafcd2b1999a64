"""How far each worker has followed the change stream: what workers leave in Redis, and control reads.

A worker writes it once it has applied what it read, and now and then; so whoever took access away can be told how
many workers have done what was announced, and which of them have not. Sealed with the proxy key: what somebody else
left there counts for nobody. Leaves out who writes (`proxy/gateways/acknowledging.py`) and who reads
(`control/publish/acknowledgements.py`).
"""

from typing import Final

import msgspec

from core.sealing import SealBroken, Sealer

PURPOSE: Final = "acknowledgement"
"""Of the sealer that both sides make."""
LARGEST: Final = 2_048
"""Bytes of one that is sealed; ours have some 200."""


class Acknowledgement(msgspec.Struct, frozen=True, array_like=True):
    """One worker of a proxy, and up to which event of the change stream it has applied everything."""

    worker: str
    """A word that no two workers share, and no worker has twice."""
    host: str
    process: int
    epoch: str
    number: int
    at: float
    """When it said so: seconds since 1970 by its own clock."""


class AcknowledgementBroken(ValueError):
    """What was read is not what a worker of ours left under this name."""


_decoder = msgspec.msgpack.Decoder(Acknowledgement)


def seal_acknowledgement(said: Acknowledgement, sealer: Sealer) -> bytes:
    """As it lies in Redis."""
    return sealer.seal(msgspec.msgpack.encode(said), said.worker)


def open_acknowledgement(worker: str, sealed: bytes, sealer: Sealer) -> Acknowledgement:
    """What this worker left; raises AcknowledgementBroken."""
    try:
        said = _decoder.decode(sealer.open(sealed, worker))
    except (SealBroken, msgspec.MsgspecError) as broken:
        raise AcknowledgementBroken(str(broken)) from broken
    if said.worker != worker:
        raise AcknowledgementBroken("it names another worker than it stands under")
    return said
