"""Who comes in at a gateway: whose own tokens it takes, and which OAuth clients it lets in.

Called by Connect. All of it is told to whoever sees the gateway, as the admin API tells it. Leaves out which way in
is shut: `shown_gateways.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider
from control.store import identity_providers, oauth_clients
from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class AdmittedClient:
    """An OAuth client that a gateway names."""

    client_id: str
    name: str
    """'' for one that has not been here yet, or was deleted."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who a gateway lets in besides the people who see it."""

    provider: IdentityProvider | None
    clients: Sequence[AdmittedClient]
    """None where every client is let in."""


async def admitted_at(connection: Connection, gateway: Gateway) -> Admitted:
    """Whom the gateway lets in."""
    provider = None
    if gateway.identity_provider_id is not None:
        provider = await identity_providers.one(connection, gateway.identity_provider_id)
    names = await oauth_clients.names_of(connection, gateway.allowed_clients)
    clients = [AdmittedClient(one, names.get(one, "")) for one in gateway.allowed_clients]
    return Admitted(provider, clients)
