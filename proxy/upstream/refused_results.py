"""Whether a tool's result reads as if the server's own provider had refused the credential.

Many servers answer 200 whatever happens and hand on what the service behind them said. The tool may have run, so such
a call is never made again; only the credential is looked at, in the background. Pure. Called by the stage `relay` and
by planned calls, for results that say `isError`. It is a guess: a wrong one costs one question to control a minute.
"""

import re
from collections.abc import Iterator
from typing import Final

MOST_READ: Final = 512
"""Characters of a text that are looked at: a refusal is short."""
MOST_BLOCKS: Final = 3
_NUMBER: Final = re.compile(
    # 401 where it is a status and no count or amount: behind a word of errors, before one of sign-ins, or alone.
    r"\b(?:https?|status|code|error|failed|response|returned|got|api)[ /.\w]{0,24}[ :=(\[\"']{1,4}401\b"
    r"|\b401\W{1,4}(?:unauthori[sz]ed|unauthenticated|bad credentials|invalid|expired|authentication)"
    r"|^\W{0,3}401\W{0,3}$",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(
    # About who asks, and not about what they may do.
    r"\bunauthenticated\b|\bunauthori[sz]ed\b(?! (?:to|for|access to|access|operation|action)\b)"
    r"|\bbad credentials\b|\binvalid[_ ](?:access[_ ])?token\b|\binvalid[_ ]authentication\b"
    r"|\btoken\b[\w ]{0,24}\b(?:expired|revoked|is invalid|not valid|no longer valid)\b"
    r"|\b(?:expired|revoked)[_ ](?:access[_ ]|bearer[_ ])?token\b"
    r"|\b(?:authentication|sign-?in|log-?in) (?:is )?(?:required|expired|failed)\b",
    re.IGNORECASE,
)


def looks_refused(result: dict[str, object]) -> bool:
    """Whether a result that says `isError` reads like a refused sign-in."""
    return any(_says_so(text) for text in _texts(result.get("content")))


def _says_so(text: str) -> bool:
    return _WORDS.search(text) is not None or ("401" in text and _NUMBER.search(text) is not None)


def _texts(content: object) -> Iterator[str]:
    """The beginnings of the first texts."""
    for block in content[:MOST_BLOCKS] if isinstance(content, list) else ():
        text = block.get("text") if isinstance(block, dict) else None
        if isinstance(text, str):
            yield text[:MOST_READ]
