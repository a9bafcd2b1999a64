"""Refresh tokens as clients bear them: `archr_`, the grant, a number, and a code that only control makes.

A token is worked out from the grant's salt and a key of control's, so that the row of a family, which holds neither
token nor digest, makes none, and whoever refreshes twice at once is given the very same. The digits of the code are
compared in constant time. Pure; whether a token still lives is `refresh_rotation.py`'s to say.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from core.identifiers import is_id
from core.keys import KeyRing

PREFIX: Final = "archr_"
SALT_BYTES: Final = 16
_SHAPE = re.compile(
    r"archr_([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})_([1-9][0-9]{0,8})_([\w-]{43})"
)


@dataclass(frozen=True, slots=True)
class BroughtToken:
    """A refresh token that somebody brings, taken apart. Nothing of it was checked yet."""

    grant_id: str
    number: int
    code: str


def new_salt() -> bytes:
    """A fresh salt for the tokens of one grant."""
    return secrets.token_bytes(SALT_BYTES)


def brought(text: str) -> BroughtToken | None:
    """The parts of what may be a refresh token; None for what is out of form."""
    match = _SHAPE.fullmatch(text) if text.isascii() else None
    if match is None or not is_id(match[1]):
        return None
    return BroughtToken(match[1], int(match[2]), match[3])


class RefreshTokens:
    """Makes and checks refresh tokens with the keys of a ring; the current one makes."""

    def __init__(self, ring: KeyRing) -> None:
        self._keys = [key.derive("refresh tokens") for key in ring.keys]

    def token(self, grant_id: str, number: int, salt: bytes) -> str:
        """The token with this number of a grant's family."""
        return f"{PREFIX}{grant_id}_{number}_{_code(self._keys[0], grant_id, number, salt)}"

    def is_ours(self, one: BroughtToken, salt: bytes) -> bool:
        """Whether control made the token, with a key that it still has."""
        codes = [_code(key, one.grant_id, one.number, salt) for key in self._keys]
        return any(hmac.compare_digest(one.code, code) for code in codes)


def _code(key: bytes, grant_id: str, number: int, salt: bytes) -> str:
    made = hmac.digest(key, f"{grant_id}\n{number}\n".encode() + salt, sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
