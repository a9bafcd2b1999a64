"""Secret keys as the operator gives them: `current` or `current,previous`, 32 bytes each in base64url.

Called by both planes at start. A key is never used directly: each use derives its own with HKDF (RFC 5869), so
that one purpose's material says nothing about another's. The key's identifier, one byte, leads whatever is sealed
or signed with it, which is how `previous` keeps opening what it closed while `current` takes over.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
ANOTHER_CURRENT = "make another current key with `archway keys new`, where the old one is set in the environment"
_FEWEST_DISTINCT_BYTES = 16  # 32 random bytes have fewer than 20 distinct values about once in 10^9


class BadKey(ValueError):
    """A key that must not be used; the sentence names the setting and the cure, never the key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of 32 bytes and the byte that names it."""

    secret: bytes = field(repr=False)
    id: int

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes that serves one purpose only."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"archway/" + purpose.encode()).derive(self.secret)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys for one use: the first seals or signs, the others still open what was sealed with them."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that new things are closed with."""
        return self.keys[0]


def new_key() -> str:
    """A fresh key in the form that settings take. One that shall replace another: `core.signing.new_key_before`."""
    return encode_key(secrets.token_bytes(KEY_BYTES))


def encode_key(raw: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_key(setting: str, text: str) -> bytes:
    """The 32 bytes behind one key's text; raises BadKey naming `setting`."""
    cure = "make one with `archway keys new`"
    if not text.strip():
        raise BadKey(f"{setting} is empty; {cure}")
    try:
        raw = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise BadKey(f"{setting} is not base64url; {cure}") from None
    if len(raw) != KEY_BYTES:
        raise BadKey(f"{setting} has {len(raw)} bytes instead of {KEY_BYTES}; {cure}")
    if len(set(raw)) < _FEWEST_DISTINCT_BYTES:
        raise BadKey(f"{setting} is not random; {cure}")
    return raw


def parse_key_ring(setting: str, text: str) -> KeyRing:
    """The ring in `current` or `current,previous`; raises BadKey for a missing, short, weak or repeated key."""
    parts = text.split(",")
    if len(parts) > 2:
        raise BadKey(f"{setting} holds {len(parts)} keys; give `current` or `current,previous`")
    keys = tuple(Key(raw, sha256(raw).digest()[0]) for raw in (decode_key(setting, part) for part in parts))
    if len({key.id for key in keys}) != len(keys):
        raise BadKey(f"{setting}: the two keys are equal or share an identifier; {ANOTHER_CURRENT}")
    return KeyRing(keys)


def refuse_repeats(rings: Mapping[str, KeyRing]) -> None:
    """Raise BadKey where two settings hold the same secret: then one leak would be two."""
    seen: dict[bytes, str] = {}
    for setting, ring in rings.items():
        for key in ring.keys:
            other = seen.setdefault(key.secret, setting)
            if other != setting:
                raise BadKey(f"{setting} and {other} hold the same key; each needs its own")
