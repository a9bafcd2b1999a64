"""The gateway that the token is to be for (RFC 8707), under whichever of its names; it must let this client in.

A client of 2025-03-26 names none. Then the gateway is the only one that its person can mean (`check_gateway.py`).
"""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.named_gateway import asked_gateway, not_let_in
from control.registry.oauth_client import may_call
from control.store.pool import transaction


async def check_resource(asked: AuthorizeRequest) -> None:
    """Refuse what is no gateway of ours, and a gateway that names other clients."""
    async with transaction(asked.server.pool, readonly=True) as connection:
        asked.gateway = await asked_gateway(connection, asked.server, asked.sent)
    if asked.gateway is not None and not may_call(asked.named_client.client_id, asked.gateway.allowed_clients):
        raise not_let_in(asked.named_client.client_id, asked.gateway)
