"""A sign-in at the provider of a server that a person began in a browser, as its row keeps it.

Made by `control/store/account_sign_ins.py`; what is in it is sealed, and opened by `control/accounts/sign_ins.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

LIFE: Final = timedelta(minutes=10)
"""A person may take so long at the provider, and as long again to say that the account is the right one."""
MOST_OF_ONE: Final = 20
"""Sign-ins that one person may have under way: the oldest give way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccountSignIn:
    """A person's sign-in at a server's provider that begins in a browser."""

    state_digest: str
    """Of the `state` that must come back; the state itself is in the address of the provider alone."""
    user_id: str
    session_id: str
    """Of the browser: nobody else's brings it to an end."""
    entry_id: str
    installation_id: str | None
    """None: a new installation is wanted."""
    begun: bytes = field(repr=False)
    """What it is held to when it comes back, sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSignIn(NewAccountSignIn):
    """A person's sign-in at a server's provider that has begun and not ended yet."""

    id: str
    returned_at: datetime | None
    """When the provider's answer came; it cannot come a second time."""
    tokens: bytes | None = field(repr=False)
    """What the provider gave, sealed, until its person has said that the account is the right one."""
    expires_at: datetime
