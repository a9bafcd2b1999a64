"""Whether a bearer token is accepted: not revoked, not expired, and its owner not disabled.

The one place where this is judged: `control/store/tokens.py` asks it for each verdict that a proxy wants and for each
caller of the admin API. Leaves out whether there is such a token, and who may manage it (`token.py`).
"""

from datetime import datetime
from typing import Literal, Protocol

State = Literal["active", "revoked", "expired", "disabled"]
"""What people are told of a token."""


class Judged(Protocol):
    """What is looked at of a token."""

    @property
    def revoked_at(self) -> datetime | None:
        """When somebody took it back; None: nobody did."""

    @property
    def expired(self) -> bool:
        """Whether its end is over, by the clock of the database."""

    @property
    def owner_disabled_at(self) -> datetime | None:
        """When the user whose token it is was shut out; None: they were not, or it is nobody's own."""


def refusal_of(token: Judged) -> Literal["", "revoked", "expired", "disabled"]:
    """Why a token is not accepted, '' if it is."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expired:
        return "expired"
    return "disabled" if token.owner_disabled_at is not None else ""
