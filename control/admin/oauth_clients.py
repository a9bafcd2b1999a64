"""`/oauth-clients`: clients of the authorization server: registered by admins, or come by themselves.

Written by `control/changes/oauth_clients.py`. A secret is in the answer that makes it, once.
"""

import msgspec

from control.admin.api import Asked, Operations
from control.admin.oauth_client_models import (
    MadeOAuthClient,
    NewOAuthClient,
    OAuthClientChange,
    OAuthClientQuery,
    OAuthClientView,
    Revoked,
)
from control.admin.resource import one_or_404, shown
from control.changes import oauth_clients as changes
from control.changes import oauth_grants as grant_changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry.oauth_client import ClientFields, OAuthClient, client_warnings, told_of_client
from control.store import oauth_clients
from control.store.pool import transaction

operations = Operations("oauth clients")


@operations.get("/oauth-clients")
async def list_clients(asked: Asked, query: OAuthClientQuery) -> Page[OAuthClientView]:
    """List OAuth clients by name, whoever registered them."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await oauth_clients.page(
            connection, limit=query.fetch, after=query.place, kind=query.kind, name=query.name
        )
    return page_of(rows, query, _view, lambda one: place_key(one.name, one.id))


@operations.post("/oauth-clients")
async def create_client(asked: Asked, body: NewOAuthClient) -> MadeOAuthClient:
    """Register a client: one that acts for people, or by itself. Its secret is in this answer and nowhere else."""
    async with asked.changing() as write:
        made, secret = await changes.create(write, msgspec.convert(body.model_dump(), ClientFields))
    return _made(made, secret)


@operations.get("/oauth-clients/{oauth_client_id}")
async def get_client(asked: Asked, oauth_client_id: Id) -> OAuthClientView:
    """Show a client; never its secret."""
    async with transaction(asked.pool, readonly=True) as connection:
        return _view(one_or_404(await oauth_clients.one(connection, oauth_client_id), "OAuth client"))


@operations.patch("/oauth-clients/{oauth_client_id}")
async def change_client(asked: Asked, oauth_client_id: Id, body: OAuthClientChange) -> OAuthClientView:
    """Change a client that an admin registered. One that came by itself is what it said."""
    wanted = body.changes()
    if "redirect_uris" in wanted:
        wanted["redirect_uris"] = tuple(wanted["redirect_uris"])
    async with asked.changing() as write:
        return _view(await changes.change(write, oauth_client_id, wanted, asked.version))


@operations.post("/oauth-clients/{oauth_client_id}/renew-secret", status=200)
async def renew_secret(asked: Asked, oauth_client_id: Id) -> MadeOAuthClient:
    """Give a client another secret; the one before opens nothing from now on."""
    async with asked.changing() as write:
        made, secret = await changes.renew_secret(write, oauth_client_id)
    return _made(made, secret)


@operations.post("/oauth-clients/{oauth_client_id}/disable", status=200)
async def disable_client(asked: Asked, oauth_client_id: Id) -> OAuthClientView:
    """Shut a client out: none of its tokens is accepted any more, within a second. Nothing is deleted."""
    async with asked.changing() as write:
        return _view(await changes.set_disabled(write, oauth_client_id, disabled=True))


@operations.post("/oauth-clients/{oauth_client_id}/enable", status=200)
async def enable_client(asked: Asked, oauth_client_id: Id) -> OAuthClientView:
    """Let a client in again."""
    async with asked.changing() as write:
        return _view(await changes.set_disabled(write, oauth_client_id, disabled=False))


@operations.post("/oauth-clients/{oauth_client_id}/revoke-grants", status=200)
async def revoke_grants_of_client(asked: Asked, oauth_client_id: Id) -> Revoked:
    """Take back all that people allowed this client; how many grants ended."""
    async with asked.changing() as write:
        return Revoked(revoked=await grant_changes.revoke_all_of(write, client_pk=oauth_client_id))


@operations.delete("/oauth-clients/{oauth_client_id}")
async def delete_client(asked: Asked, oauth_client_id: Id) -> None:
    """Delete a client with its grants. One that comes by itself may come again."""
    async with asked.changing() as write:
        await changes.delete(write, oauth_client_id, asked.version)


def _view(found: OAuthClient) -> OAuthClientView:
    return shown(OAuthClientView, told_of_client(found))


def _made(made: OAuthClient, secret: str) -> MadeOAuthClient:
    return shown(MadeOAuthClient, told_of_client(made), client_secret=secret, warnings=client_warnings(made))
