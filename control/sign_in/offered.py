"""Which ways in beside a password the sign-in page offers: one button for each identity provider.

Called by `routes.py`.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from control.store import identity_providers
from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Way:
    """A way in: what its button says, and where it leads."""

    name: str
    url: str


async def ways_in(connection: Connection, return_to: str) -> list[Way]:
    """All ways in beside a password, in the order of the page."""
    query = urlencode({"return_to": return_to})
    return [
        Way(f"Sign in with {one.name}", f"/sign-in/oidc/{one.slug}?{query}")
        for one in await identity_providers.for_sign_in(connection)
    ]
