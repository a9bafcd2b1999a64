"""Sealing: AES-256-GCM with the owner bound in, for whatever leaves our memory and must come back unread.

Both planes seal: control what is at rest in Postgres, proxies what they leave in Redis, on disk or with a client.
What is sealed for one kind, name, owner or revision opens for no other: those words are the additional data.
Layout: key identifier (1 byte), nonce (12, random), ciphertext with its 16-byte tag. A random 96-bit nonce is
safe for 2^32 messages under one key (NIST SP 800-38D section 8.3); rotate a key long before.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.keys import KeyRing

_NONCE: Final = 12
_OVERHEAD: Final = 1 + _NONCE + 16


class SealBroken(ValueError):
    """Bytes that were not sealed by us for this use, or that were changed since."""


class Sealer:
    """Seals and opens for one purpose with a key ring."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        self._purpose = purpose
        self._current = ring.current.id
        self._ciphers = {key.id: AESGCM(key.derive("seal/" + purpose)) for key in ring.keys}

    def seal(self, plain: bytes, *bound: str) -> bytes:
        """Close `plain`; it opens only with the same words in `bound`."""
        nonce = os.urandom(_NONCE)
        cipher = self._ciphers[self._current]
        return bytes((self._current,)) + nonce + cipher.encrypt(nonce, plain, self._additional(bound))

    def open(self, sealed: bytes, *bound: str) -> bytes:
        """The plain bytes; raises SealBroken for anything but what `seal` made with the same words."""
        if len(sealed) < _OVERHEAD:
            raise SealBroken("too short to be sealed")
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise SealBroken("sealed with a key that is not in the ring")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], self._additional(bound))
        except InvalidTag:
            raise SealBroken("changed, or sealed for another use or owner") from None

    def _additional(self, bound: tuple[str, ...]) -> bytes:
        return bind(self._purpose, *bound)


def bind(*words: str) -> bytes:
    """Words joined so that no two lists of words give the same bytes (each is led by its length)."""
    parts = [word.encode() for word in words]
    return b"".join(len(part).to_bytes(4) + part for part in parts)
