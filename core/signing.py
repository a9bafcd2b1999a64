"""Signatures on what control publishes: Ed25519 (RFC 8032).

Control signs snapshots, the index of gateways and change events with `ARCHWAY_SIGNING_KEY`; proxies hold only the
public halves (`ARCHWAY_VERIFY_KEYS`). So a Redis in an attacker's hands can withhold news but never invent it.
Layout: key identifier (1 byte), signature (64), payload. The signed bytes also name the kind and the words that
the payload must be read under, so that a document cannot be passed off as another.
"""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.keys import BadKey, KeyRing, decode_key, encode_key
from core.sealing import bind

_HEAD = 1 + 64


class SignatureBroken(ValueError):
    """Not signed by a key that we trust, for this kind and name, or changed since."""


class Signer:
    """Signs with the ring's current key. Control only."""

    def __init__(self, ring: KeyRing) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(key.derive("sign")) for key in ring.keys]
        self._id = _id_of(self._keys[0].public_key())

    @property
    def public_keys(self) -> str:
        """The value for `ARCHWAY_VERIFY_KEYS`: every public half, current first, comma-separated."""
        return ",".join(encode_key(key.public_key().public_bytes_raw()) for key in self._keys)

    def sign(self, payload: bytes, *bound: str) -> bytes:
        """The signed document."""
        return bytes((self._id,)) + self._keys[0].sign(bind(*bound) + payload) + payload


class Verifier:
    """Checks with the public halves."""

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


def _id_of(key: Ed25519PublicKey) -> int:
    return sha256(key.public_bytes_raw()).digest()[0]
