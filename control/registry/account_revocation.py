"""Tokens of an account that is there no more, which their provider is still to be told of (RFC 7009)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevocation:
    """Tokens to revoke, with all that they and the client's secret are sealed for."""

    installation_id: str
    """What the tokens are sealed for; it may be gone. A sign-in that became no account has a made-up one."""
    entry_id: str
    place: str
    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    resource: str
    client_id: str
    client_authentication: str
    upstream_client_id: str | None
    """The client that Archway registered, for which the secret is sealed; None: another's, as `client_of` says."""
    client_secret: bytes | None = field(repr=False)
    tokens: bytes = field(repr=False)
    client_of: Literal["entry", "installation"] = "entry"
    """Whose own client it is: of an installation, the secret is among the secrets of that, sealed as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation(NewRevocation):
    """Tokens that wait for their provider to be told."""

    id: str
    tries: int
    """How often it was tried, this time among it."""
    expires_at: datetime
    """When it is given up."""
