"""A link that signs a person in once: an invitation, a reset of their password, or a way in without one.

Made by `control/store/sign_in_links.py` of a row. The secret in the URL is kept nowhere, its digest only. Whoever has
the link is the person; so only an admin makes one, and one that signs in without a password only for themselves.
Rules only; no I/O.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule

Purpose = Literal["invitation", "reset", "sign_in"]
"""To set a first password; to set another; to be signed in at once, as `archway up` offers it to the first admin."""
State = Literal["open", "used", "expired"]
AGES: Final[dict[Purpose, timedelta]] = {
    "invitation": timedelta(days=7),
    "reset": timedelta(hours=24),
    "sign_in": timedelta(hours=12),
}
"""How long each is good."""
MOST_OPEN: Final = 10
"""Links of one person that are open at the same time; the oldest goes where another is made."""
_NOT_TOLD: Final = {"digest", "expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """What a new link is made of: the person, what it is for, and the digest of its secret."""

    digest: str
    user_id: str
    purpose: Purpose
    created_by: str | None
    """The admin who made it; None where that user is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink(NewLink):
    """A link that exists, used or not."""

    id: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    expired: bool
    """By the clock of the database."""

    @property
    def state(self) -> State:
        """Whether it still opens the door."""
        if self.used_at is not None:
            return "used"
        return "expired" if self.expired else "open"


def told_of_link(link: SignInLink) -> dict[str, Any]:
    """All that people are told of a link, in the words of the admin API; never its digest."""
    told = {one.name: getattr(link, one.name) for one in fields(link) if one.name not in _NOT_TOLD}
    return {**told, "state": link.state}


def refuse_purpose(purpose: Purpose, user_id: str, maker: Caller) -> None:
    """Raise BrokenRule where this person must not make such a link: a way in without a password, for somebody else or
    with a token that was made for programs.
    """
    if purpose == "sign_in" and (user_id != maker.user_id or maker.token_id):
        raise BrokenRule(
            "purpose",
            "`sign_in` is for oneself, by whoever signed in or has the token of `archway up`; give `reset` instead",
        )
