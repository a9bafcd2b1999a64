"""What a password must be, and the one form in which it is hashed. Rules only; no I/O.

Length does most (NIST SP 800-63B, 3.1.1): no rule about kinds of characters, and none about age. Called where a
person sets one, by pages and by `control/sign_in/passwords.py`.
"""

import unicodedata
from typing import Final

from control.registry.broken_rule import BrokenRule

SHORTEST: Final = 12
LONGEST: Final = 512
"""So that nobody makes us hash a book."""
_FEWEST_DISTINCT: Final = 5


def normalised(password: str) -> str:
    """The same password, however a keyboard made its accents (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *known: str) -> None:
    """Raise BrokenRule for one that is too short, too long, or easily guessed; `known` are their name and address."""
    text = normalised(password)
    if len(text) < SHORTEST:
        raise BrokenRule("password", f"must have at least {SHORTEST} characters; four words that you choose will do")
    if len(text) > LONGEST:
        raise BrokenRule("password", f"must have at most {LONGEST} characters")
    if len(set(text.casefold())) < _FEWEST_DISTINCT:
        raise BrokenRule("password", "repeats few characters, which is easily guessed; choose another")
    if _is_known(text.casefold(), known):
        raise BrokenRule("password", "is your name or address, which others know; choose another")


def _is_known(text: str, known: tuple[str, ...]) -> bool:
    """Whether little is left of it without the names."""
    for name in sorted((normalised(one).casefold() for one in known if one), key=len, reverse=True):
        for part in (name, name.partition("@")[0]):
            if len(part) >= 3:
                text = text.replace(part, "")
    return len(text) < SHORTEST // 2
