"""Notes each step of signing in, with why it failed and what helps: for `archway sign-ins` and the page of that name.

Called at each step by whoever takes it: the sign-in pages, single sign-on, the OAuth endpoints. A note is written in
the caller's transaction; one that refuses takes another, so that the note outlives the refusal.
"""

from typing import Final

from control.store import sign_in_attempts
from control.store.pool import Connection
from control.store.sign_in_attempts import Attempt, NewAttempt, Step

__all__ = ["Attempt", "Step", "note"]
_LONGEST: Final = 512
"""Of a client's name or a sentence; some of it is what strangers sent."""


async def note(
    connection: Connection,
    *,
    step: Step,
    client: str = "",
    gateway: str = "",
    user_id: str | None = None,
    address: str = "",
    reason: str = "",
    cure: str = "",
) -> None:
    """Keep that this step was taken, or why it was not. Names and sentences are cut and made printable."""
    await sign_in_attempts.insert(
        connection,
        NewAttempt(
            step=step,
            client=_plain(client),
            gateway=_plain(gateway),
            user_id=user_id,
            address=_plain(address),
            reason=_plain(reason),
            cure=_plain(cure),
        ),
    )


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:_LONGEST])
