"""Signatures on what control publishes: Ed25519 (RFC 8032).

Control signs snapshots, the index of gateways and change events with `ARCHWAY_SIGNING_KEY`; proxies hold only the
public halves (`ARCHWAY_VERIFY_KEYS`). So a Redis in an attacker's hands can withhold news but never invent it.
Layout: key identifier (1 byte), signature (64), payload. The signed bytes also name the kind and the words that
the payload must be read under, so that a document cannot be passed off as another.
"""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.keys import ANOTHER_CURRENT, BadKey, KeyRing, decode_key, encode_key, new_key, parse_key_ring
from core.sealing import bind

_HEAD = 1 + 64


class SignatureBroken(ValueError):
    """A document that no trusted key signed for this kind and name, or that was changed since."""


class Signer:
    """Signs with the ring's current key. Control only. Raises BadKey for two keys that no proxy could tell apart."""

    def __init__(self, ring: KeyRing) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(key.derive("sign")) for key in ring.keys]
        self._id, *others = [_id_of(key.public_key()) for key in self._keys]
        if self._id in others:
            raise BadKey(f"ARCHWAY_SIGNING_KEY: the public halves share an identifier; {ANOTHER_CURRENT}")

    @property
    def public_keys(self) -> str:
        """The value for `ARCHWAY_VERIFY_KEYS`: every public half, current first, comma-separated."""
        return ",".join(encode_key(key.public_key().public_bytes_raw()) for key in self._keys)

    def sign(self, payload: bytes, *bound: str) -> bytes:
        """The signed document."""
        return bytes((self._id,)) + self._keys[0].sign(bind(*bound) + payload) + payload


class Verifier:
    """Checks control's signatures with the public halves of its keys."""

    def __init__(self, setting: str, text: str) -> None:
        self._keys: dict[int, Ed25519PublicKey] = {}
        for part in text.split(","):
            key = Ed25519PublicKey.from_public_bytes(decode_key(setting, part))
            if _id_of(key) in self._keys:
                raise BadKey(f"{setting} holds the same key twice, or two with one identifier")
            self._keys[_id_of(key)] = key

    def verify(self, signed: bytes, *bound: str) -> bytes:
        """The payload; raises SignatureBroken."""
        key = self._keys.get(signed[0]) if len(signed) >= _HEAD else None
        if key is None:
            raise SignatureBroken("signed by no key that we know")
        payload = signed[_HEAD:]
        try:
            key.verify(signed[1:_HEAD], bind(*bound) + payload)
        except InvalidSignature:
            raise SignatureBroken("changed, or signed for another kind or name") from None
        return payload


def new_key_before(*values: str) -> str:
    """A fresh key that may stand before each of these keys in a setting, whichever setting that is.

    Keys of one setting are told apart by one byte, signing keys by one of their public half too. Two keys that were
    made without a look at each other share it once in 256 times, signing keys once in 128. Raises BadKey for a value
    that is no key.
    """
    for value in values:
        parse_key_ring("the previous key", value)
    while True:
        fresh = new_key()
        if all(_fit(fresh, value) for value in values):
            return fresh


def _fit(current: str, previous: str) -> bool:
    try:
        Signer(parse_key_ring("", f"{current},{previous}"))
    except BadKey:
        return False
    return True


def _id_of(key: Ed25519PublicKey) -> int:
    return sha256(key.public_bytes_raw()).digest()[0]
