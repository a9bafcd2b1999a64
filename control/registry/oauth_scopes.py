"""Scopes of access tokens: what a client may ask for, and what it gets. Pure; called by the authorization server."""

from collections.abc import Collection
from typing import Final

from core.jwt import CALL_SCOPE

CALL: Final = CALL_SCOPE
"""Calling the tools of one gateway. Every access token has it."""
OFFLINE: Final = "offline_access"
"""Going on while the person is away, with a refresh token."""
KNOWN: Final = (CALL, OFFLINE)
_LONGEST: Final = 256


class ScopeUnknown(ValueError):
    """A scope that there is none of; the sentence repeats nothing of what was sent."""


def scopes_of(text: str, most: Collection[str] = KNOWN) -> tuple[str, ...]:
    """The scopes that a request asks for, in our order; `mcp` where it names none.

    Raises ScopeUnknown for a scope that is not among `most`.
    """
    asked = set(text.split(" ")) - {""} if len(text) <= _LONGEST else {text}
    if not asked <= set(most):
        raise ScopeUnknown(f"Only the scopes {' and '.join(KNOWN)} can be asked for, and no more than was allowed.")
    return tuple(scope for scope in KNOWN if scope in (asked | {CALL}))
