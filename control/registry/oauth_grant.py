"""A grant: what a person allowed a client to do at a gateway, and whether it still holds. No I/O.

Made by `control/store/oauth_grants.py` of rows, and by nobody else. Access tokens and refresh tokens are good while
their grant is: both planes ask `refusal_of` through control, and nothing else decides it.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from control.registry.oauth_client import may_call

LIFE: Final = timedelta(days=365)
"""A person is asked again after a year, however often the client refreshed."""
RevokedFor = Literal["", "asked", "code_reused", "token_reused"]
Refusal = Literal["", "revoked", "expired", "disabled", "client_gone", "client_not_allowed", "not_vouched_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant with all that decides whether it holds, and what people are told of it."""

    id: str
    client_pk: str
    """The client's row."""
    client_id: str
    """What the client calls itself."""
    client_name: str
    client_disabled_at: datetime | None
    user_id: str | None
    """None: the client acts by itself."""
    user_name: str
    user_disabled_at: datetime | None
    gateway_id: str
    gateway_slug: str
    allowed_clients: tuple[str, ...]
    """Of the gateway."""
    scopes: tuple[str, ...]
    redirect_host: str
    created_at: datetime
    redeemed_at: datetime | None
    last_used_at: datetime | None
    expires_at: datetime
    expired: bool
    """By the clock of the database."""
    revoked_at: datetime | None
    revoked_for: RevokedFor
    by_assertion: bool = False
    """Nobody agreed to it here: the gateway's identity provider vouches for the person (ID-JAG)."""
    vouched_for: bool = True
    """Of such a grant: the gateway still takes that provider's assertions, and it still knows the person."""


_NOT_TOLD: Final = {
    "client_pk",
    "client_disabled_at",
    "user_disabled_at",
    "allowed_clients",
    "expired",
    "vouched_for",
}


def refusal_of(grant: Grant) -> Refusal:
    """Why nothing is good by this grant any more, '' if it holds."""
    if grant.revoked_at is not None:
        return "revoked"
    if grant.expired:
        return "expired"
    if grant.user_disabled_at is not None:
        return "disabled"
    if grant.client_disabled_at is not None:
        return "client_gone"
    if not grant.vouched_for:
        return "not_vouched_for"
    return "" if may_call(grant.client_id, grant.allowed_clients) else "client_not_allowed"


def told_of_grant(grant: Grant) -> dict[str, Any]:
    """All that people are told of a grant, in the words of the admin API."""
    told = {one.name: getattr(grant, one.name) for one in fields(grant) if one.name not in _NOT_TOLD}
    return told | {"scopes": list(grant.scopes), "state": refusal_of(grant) or "active"}
