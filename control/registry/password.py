"""A person's password, as the registry keeps it: its hash, and since when.

Made by `control/store/passwords.py` of a row. Leaves out how one is hashed: `control/sign_in/passwords.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPassword:
    """The hash of a person's password."""

    user_id: str
    hash: str = field(repr=False)
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The person whose address somebody typed, with what their password is compared to."""

    user_id: str
    hash: str | None = field(repr=False)
    """None where they have no password: they were only invited, or sign in elsewhere."""
    disabled: bool


def told_of_password(user_id: str, changed_at: datetime | None) -> dict[str, Any]:
    """All that the trail says of a password; None: there was none."""
    return {"user_id": user_id, "changed_at": changed_at}
