"""Callers as the stage `authenticate` makes them, for tests of what stands behind it."""

from typing import Any

from core.resolve import CallerVerdict, Principal, TokenProof, Way
from proxy.caller import Caller

DIGEST = "d" * 64


def caller_of(principal: Principal, digest: str = DIGEST, *, way: Way = "token", **fields: Any) -> Caller:
    """A caller who came with a token of this digest; or with what was made another `way`."""
    auth, by_assertion = ("oauth", True) if way == "id_jag" else (way, False)
    made = {"credential_id": "token-id", "auth": auth, "by_assertion": by_assertion} | fields
    verdict = CallerVerdict(digest, principal, **made)
    return Caller(verdict, TokenProof(digest))


def a_user(name: str, *, way: Way = "token") -> Caller:
    """A person who calls, `user:NAME`."""
    return caller_of(Principal("user", name, name), way=way)
