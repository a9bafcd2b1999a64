"""Scopes of OAuth: what is one at all, and those of our own access tokens, which a client may ask for and gets. Pure.

Called by the authorization server; of providers, by whoever reads or checks scopes of theirs.
"""

import re
from collections.abc import Collection
from typing import Final

from core.jwt import CALL_SCOPE

CALL: Final = CALL_SCOPE
"""Calling the tools of one gateway. Every access token has it."""
OFFLINE: Final = "offline_access"
"""Going on while the person is away, with a refresh token; at providers too (OpenID Connect Core 11)."""
KNOWN: Final = (CALL, OFFLINE)
_LONGEST: Final = 256
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


class ScopeUnknown(ValueError):
    """A scope that there is none of; the sentence repeats nothing of what was sent."""


def is_scope(text: str) -> bool:
    """Whether it is one scope, of whatever meaning (RFC 6749 section 3.3)."""
    return _SCOPE.fullmatch(text) is not None


def scopes_of(text: str, most: Collection[str] = KNOWN) -> tuple[str, ...]:
    """The scopes that a request asks for, in our order; `mcp` where it names none.

    Raises ScopeUnknown for a scope that is not among `most`.
    """
    asked = set(text.split(" ")) - {""} if len(text) <= _LONGEST else {text}
    if not asked <= set(most):
        raise ScopeUnknown(f"Only the scopes {' and '.join(KNOWN)} can be asked for, and no more than was allowed.")
    return tuple(scope for scope in KNOWN if scope in (asked | {CALL}))
