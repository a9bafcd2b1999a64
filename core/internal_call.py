"""Calls between the planes: who may make one, and how its answer is closed.

A call carries a JWT (HS256, 30 seconds) bound to the audience, the direction, the method and path, and the body's
digest. The answer is sealed and bound to that very call, so neither half can be replayed or swapped. A question that
has a caller's whole credential in it is sealed too; others are not, as version 0.1 sends them. Keys derive from
`ARCHWAY_PROXY_KEY`. No header between our own parts is trusted for anything else.
"""

import time
from hashlib import sha256
from typing import Any, Literal

import jwt

from core.identifiers import new_id
from core.keys import KeyRing
from core.sealing import Sealer

Plane = Literal["proxy", "control"]
LIFETIME_S = 30
_LEEWAY_S = 60
SCHEME = "Archway-Internal"
PLAIN, SEALED = "application/octet-stream", "application/vnd.archway.sealed"
"""Content types of questions."""
MAX_BODY = 1 << 20
MAX_ANSWER = 17 << 20


class CallRefused(ValueError):
    """A call that does not come from our other plane, or whose token was made for another call."""


class CallMistimed(CallRefused):
    """A call of our other plane that is good but for its time: the clocks of two hosts differ, or it was kept."""


class InternalCalls:
    """Mints and checks the tokens of one direction's calls, and seals and opens what they carry."""

    def __init__(self, ring: KeyRing, *, caller: Plane, answerer: Plane) -> None:
        direction = f"internal/{caller}-to-{answerer}"
        self._keys = [key.derive(direction) for key in ring.keys]
        self._questions, self._answers = Sealer(ring, direction + "/question"), Sealer(ring, direction + "/answer")
        self._caller, self._answerer = caller, answerer

    def mint(self, method: str, path: str, body: bytes) -> tuple[str, str]:
        """The Authorization value for one call, and the call's identifier for `open_answer`."""
        now, call_id = time.time(), new_id()
        claims = {
            "iss": self._caller,
            "aud": self._answerer,
            "iat": int(now),
            "exp": int(now) + LIFETIME_S,
            "jti": call_id,
            "req": _request_digest(method, path, body),
        }
        return f"{SCHEME} {jwt.encode(claims, self._keys[0], algorithm='HS256')}", call_id

    def check(self, authorization: str, method: str, path: str, body: bytes) -> str:
        """The call's identifier; raises CallRefused, and CallMistimed of the caller's clock."""
        scheme, _, token = authorization.partition(" ")
        if scheme != SCHEME:
            raise CallRefused("not an internal call")
        claims = self._claims(token)
        if claims["req"] != _request_digest(method, path, body):
            raise CallRefused("the token was made for another request")
        return str(claims["jti"])

    def seal_question(self, path: str, question: bytes) -> bytes:
        """The body of a question that nobody on the way may read; `mint` is for what this gives."""
        return self._questions.seal(question, path)

    def open_question(self, path: str, sealed: bytes) -> bytes:
        """The question; raises SealBroken for what was sealed for another path, or by somebody else."""
        return self._questions.open(sealed, path)

    def seal_answer(self, call_id: str, answer: bytes) -> bytes:
        """The answer's body on the wire."""
        return self._answers.seal(answer, call_id)

    def open_answer(self, call_id: str, sealed: bytes) -> bytes:
        """The answer; raises SealBroken if it is not the answer to this call."""
        return self._answers.open(sealed, call_id)

    def _claims(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    audience=self._answerer,
                    issuer=self._caller,
                    leeway=_LEEWAY_S,  # clocks of two hosts differ
                    options={"require": ["iss", "aud", "iat", "exp", "jti", "req"]},
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as mistimed:  # its signature is good
                raise CallMistimed(f"internal call: {mistimed}; the clocks of the two hosts differ") from mistimed
            except jwt.InvalidTokenError as refused:
                raise CallRefused(f"internal call: {refused}") from refused
        raise CallRefused("internal call: signed with another key")


def _request_digest(method: str, path: str, body: bytes) -> str:
    return sha256(f"{method} {path}\n".encode() + body).hexdigest()
