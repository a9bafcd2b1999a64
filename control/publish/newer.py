"""Whether a document that seems to be newer than ours is: by its signature, not by what Redis says of it.

Called by `epochs.py` when a script refused to overwrite. Whoever can write to Redis can put any number beside a
document, and would else withhold every later one with a single command; a document that control signed tells its own
revision. What does not open, or is no newer, is no reason to keep news back.
"""

from core.signing import Verifier
from core.snapshot import SnapshotBroken, open_gateway, open_index


def is_newer_gateway(document: bytes, gateway_id: str, revision: int, verifier: Verifier) -> bool:
    """Whether `document` is the gateway, signed by us, at a higher revision."""
    try:
        return open_gateway(document, gateway_id, verifier).revision > revision
    except SnapshotBroken:
        return False


def is_newer_index(document: bytes, epoch: str, revision: int, verifier: Verifier) -> bool:
    """Whether `document` is an index of this epoch, signed by us, at a higher revision."""
    try:
        index = open_index(document, verifier)
    except SnapshotBroken:
        return False
    return index.epoch == epoch and index.revision > revision
