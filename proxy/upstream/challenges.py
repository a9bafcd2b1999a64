"""Which scopes an upstream asks for in its `WWW-Authenticate`, where it says that the credential has too few.

Pure. Called by `unsuccessful.py` for each answer without success (RFC 6750 section 3.1, MCP authorization: "Scope
Challenge Handling"). What is no scope in form, or too long, is left out. Leaves out where to sign in: control finds
that by itself, since a challenge of the moment must not lead anybody elsewhere.
"""

import re
from collections.abc import Iterator
from typing import Final

from core.resolve import LONGEST_SCOPE, MOST_SCOPES

INSUFFICIENT_SCOPE: Final = "insufficient_scope"
_PART: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"  # a scheme or the name of a parameter: a token of RFC 9110
    r"(?:[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([!#$%&'*+.^_`|~0-9A-Za-z-]+)))?"
)
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 section 3.3."""


def scopes_needed(challenge: str) -> tuple[str, ...] | None:
    """The scopes of the first challenge that says `insufficient_scope`, each once: () where it names none, as the
    Python SDK's servers do; None where no challenge says that.
    """
    for parameters in _challenges(challenge):
        if parameters.get("error") == INSUFFICIENT_SCOPE:
            asked = dict.fromkeys(parameters.get("scope", "").split())
            fit = [one for one in asked if len(one) <= LONGEST_SCOPE and _SCOPE.fullmatch(one)]
            return tuple(fit[:MOST_SCOPES])
    return None


def _challenges(challenge: str) -> Iterator[dict[str, str]]:
    """The parameters of each challenge of a header; of a name that is repeated, the first."""
    parameters: dict[str, str] = {}
    for name, quoted, plain in _PART.findall(challenge):
        if not quoted and not plain:  # a scheme: another challenge begins
            yield parameters
            parameters = {}
            continue
        parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    yield parameters
