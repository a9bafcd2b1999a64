"""A user, as the registry keeps them.

Made by `control/store/users.py` of a row, and by nobody else. Leaves out what a user may do: that is `access.py`.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from control.registry.access import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What a new user is made of, and what may be changed of them."""

    name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class User(NewUser):
    """A user who exists, disabled or not."""

    id: str
    disabled_at: datetime | None
    """Since when they are shut out; None for one who is not."""
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def is_active_admin(self) -> bool:
        """Whether the user is an admin who is not shut out."""
        return self.role == "admin" and self.disabled_at is None


def told_of_user(user: User) -> dict[str, Any]:
    """All that people are told of a user, in the words of the admin API."""
    return asdict(user)
