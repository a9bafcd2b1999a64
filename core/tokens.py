"""The format of `arch_` bearer tokens: `arch_`, 43 random characters, 6 of checksum, all base62.

256 bits of randomness make a stored SHA-256 sufficient: nothing can be searched for. The checksum (CRC-32) tells
a typing error or a made-up token from a real one without a look-up, and lets secret scanners match with no false
alarms. It is not a secret and proves nothing.
"""

import re
import secrets
import zlib
from hashlib import sha256
from typing import NewType

PREFIX = "arch_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 43, 6
_SHAPE = re.compile(rf"arch_[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")

WellFormedToken = NewType("WellFormedToken", str)
"""A token whose shape and checksum hold; says nothing about whether it was ever issued."""


def new_token() -> WellFormedToken:
    """A fresh token; shown once, then only its digest is kept."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return WellFormedToken(PREFIX + body + _checksum(body))


def well_formed(text: str) -> WellFormedToken | None:
    """The token if its shape and checksum hold, else None."""
    if not _SHAPE.fullmatch(text):
        return None
    body, check = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    return WellFormedToken(text) if _checksum(body) == check else None


def digest(token: str) -> str:
    """What is stored and looked up: SHA-256 of the whole token, 64 hexadecimal characters."""
    return sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    value = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECK):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
