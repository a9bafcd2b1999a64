"""Programs over stdio that are started with the access token of an account: which they are, and what time that takes.

A program that runs cannot be given another token, so with each new one it is started again. The one before goes on
until its calls have ended, with the token that it has. So the next token must come earlier than elsewhere
(`control/accounts/times.py`): before the end of the one before, the new program starts and the old one ends its
calls. Pure.
"""

from datetime import timedelta
from typing import Final

from control.registry.credential import WithAccount
from control.registry.entry import EntryFields

LONGEST_CALL_S: Final = 600.0
"""For which progress keeps a call alive at most, by the usual setting of a proxy (`call_ceiling_seconds`)."""
START_S: Final = 120.0
"""For the new program: `npx` and `uvx` may have to fetch it first."""


def is_at_start(entry: EntryFields) -> bool:
    """Whether the entry's server gets its account's token when it is started."""
    credential = entry.credential
    return isinstance(credential, WithAccount) and bool(credential.variable or credential.file)


def drain_s(entry: EntryFields) -> float:
    """Seconds that the calls of a program may take to end when another takes its place."""
    return max(LONGEST_CALL_S, entry.deadline_s)


def renewed_ahead(entry: EntryFields) -> timedelta:
    """By how much the next token must come before the end of the one before; zero where no program waits for it."""
    return timedelta(seconds=drain_s(entry) + START_S) if is_at_start(entry) else timedelta(0)
