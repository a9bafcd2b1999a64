"""Keys that may not stand together in one setting, found and not met by luck."""

from collections.abc import Iterator
from hashlib import sha256

from core.keys import encode_key, parse_key_ring
from core.signing import Signer


def shares_its_identifier(key: str) -> str:
    """Another key with the identifier that this one has."""
    wanted = parse_key_ring("K", key).current.id
    return next(one for one in _keys() if one != key and parse_key_ring("K", one).current.id == wanted)


def shares_its_public_identifier(key: str) -> str:
    """Another key whose public half has the identifier that this one's has, and whose own identifier differs."""
    own, wanted = parse_key_ring("K", key).current.id, _public_id(key)
    return next(one for one in _keys() if parse_key_ring("K", one).current.id != own and _public_id(one) == wanted)


def _public_id(key: str) -> int:
    return Signer(parse_key_ring("K", key)).sign(b"")[0]


def _keys() -> Iterator[str]:
    number = 0
    while True:
        yield encode_key(sha256(str(number).encode()).digest())
        number += 1
