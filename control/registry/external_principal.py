"""Who calls with an identity provider's own token and has no account here: the pair (issuer, subject), and a row.

Made by `control/store/external_principals.py`. The row is there so that an admin sees them and can shut one out; it
gives nothing. What they may do comes of each token's claims, by the provider's rules of teams.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from core.resolve import Principal

MOST_OF_A_PROVIDER: Final = 10_000
"""Rows that are kept for one provider; who is new beyond that is refused."""
UNSEEN_DAYS: Final = 90
"""After so many days without a call a row is forgotten; one that was shut out stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalPrincipal:
    """Somebody without an account, as the registry knows them."""

    id: str
    provider_id: str
    issuer: str
    subject: str
    name: str
    """As the provider's last token called them; '' where it did not."""
    first_seen_at: datetime
    last_seen_at: datetime
    disabled_at: datetime | None
    version: int

    @property
    def title(self) -> str:
        """Their name for people: whatever they are called, issuer and subject stand beside."""
        known_as = f"{self.subject} at {self.issuer}"
        return f"{self.name} ({known_as})" if self.name else known_as


def principal_of_external(external: ExternalPrincipal, teams: Iterable[str]) -> Principal:
    """Who calls: nobody's user, in the teams that their claims give."""
    return Principal("external", external.id, external.title, frozenset(teams))


def told_of_external(external: ExternalPrincipal) -> dict[str, Any]:
    """All that people are told of them, in the words of the admin API."""
    return {one.name: getattr(external, one.name) for one in fields(external)}
