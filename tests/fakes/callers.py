"""Callers as the stage `authenticate` makes them, for tests of what stands behind it."""

from typing import Any

from core.resolve import AuthKind, CallerVerdict, Principal, TokenProof
from proxy.caller import Caller

DIGEST = "d" * 64


def caller_of(principal: Principal, digest: str = DIGEST, *, way: AuthKind = "token", **fields: Any) -> Caller:
    """A caller who came with a token of this digest; or with what was made another `way`."""
    verdict = CallerVerdict(digest, principal, **({"credential_id": "token-id"} | fields), auth=way)
    return Caller(verdict, TokenProof(digest))


def a_user(name: str, *, way: AuthKind = "token") -> Caller:
    """A person who calls, `user:NAME`."""
    return caller_of(Principal("user", name, name), way=way)
