"""A client of ours at the provider of a server, which Archway registered itself (RFC 7591), as its row keeps it."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client that one entry has at one issuer; it is shown to no other."""

    id: str
    entry_id: str
    issuer: str
    redirect_uri: str
    """Where its people come back to: another one where Archway's own address changes."""
    client_id: str
    client_secret: bytes | None = field(repr=False)
    """Sealed for this row and its issuer; None for a client without one."""
    client_authentication: str
    secret_expires_at: datetime | None
    """When the secret ends, and another client is needed; None: never."""
