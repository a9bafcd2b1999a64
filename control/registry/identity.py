"""Who somebody is at an identity provider, and what the provider says of them.

An identity is the pair (issuer, subject), whatever their name or address is today; it belongs to one user. Made by
`control/store/identities.py` of a row; what a provider says is made of claims by `control/identity/claims.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control.registry.actions import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user's identity at a provider, as it is kept."""

    id: str
    provider_id: str
    issuer: str
    subject: str
    user_id: str
    email: str
    """What the provider called their address when it was last heard of; nobody is found by it."""
    role_given: Role | None
    """The role that the provider's claims gave; None where people decided."""
    tokens: bytes | None = field(repr=False)
    """What the provider gave at their own sign-in, sealed for this identity."""
    tokens_version: int
    """Rises with each change of what is kept."""
    signed_in_at: datetime | None
    """None for somebody who is known by tokens of calls alone."""
    checked_at: datetime | None
    """When the provider last said that there is such a person."""
    fault: str
    """Why it could not be asked the last time; '' if it could."""
    gone_at: datetime | None
    """Since when the provider knows them no more."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SignInGiven:
    """What is kept of a person's own sign-in, sealed for their identity."""

    tokens: bytes | None = field(default=None, repr=False)
    tokens_end_at: datetime | None = None
    """When they end for good; None where they can be refreshed."""
    claims: bytes | None = field(default=None, repr=False)
    """What the provider said of the person, for themself to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedPerson:
    """What a provider says of a person, read by the provider's settings; nothing in it is more than those allow."""

    issuer: str
    subject: str
    email: str
    """'' where it says none that can be used."""
    email_verified: bool
    name: str
    teams: Mapping[str, Role] | None
    """The teams that the rules give, with the role in each; None where the claims say nothing of teams."""
    role: Role | None
    """The role that the rules give; None where the claims say nothing of roles."""


def told_of_identity(identity: Identity) -> dict[str, Any]:
    """All that people are told of an identity."""
    return {
        "provider_id": identity.provider_id,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "user_id": identity.user_id,
        "email": identity.email,
        "role_given": identity.role_given,
        "gone_at": identity.gone_at,
    }
