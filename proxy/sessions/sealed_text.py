"""What a caller keeps for us from one request to the next and can neither read nor change: a value, sealed, as text.

Used for the states of calls and the identifiers of tasks. Whom it is for is bound in, so it opens for nobody else.
"""

import base64
import binascii
from typing import TypeVar

import msgspec

from core.keys import KeyRing
from core.sealing import SealBroken, Sealer

T = TypeVar("T")


def close_text(ring: KeyRing, purpose: str, value: object, bound: tuple[str, ...]) -> str:
    """The value as text that a header may have."""
    return base64.urlsafe_b64encode(Sealer(ring, purpose).seal(msgspec.msgpack.encode(value), *bound)).decode()


def open_text(ring: KeyRing, purpose: str, text: object, kind: type[T], bound: tuple[str, ...], longest: int) -> T:
    """The value in what a caller sends back, of at most `longest` characters. Raises SealBroken for anything that
    was not closed for the same purpose and the same words in `bound`.
    """
    if not isinstance(text, str) or len(text) > longest:
        raise SealBroken("no text, or too long to be ours")
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(Sealer(ring, purpose).open(sealed, *bound), type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as broken:
        raise SealBroken("not ours") from broken
