"""Which client a request names: one that has a row, or one that is known by its own document.

A document is read when a person is sent here with it, and what it said then is kept with the first person who comes,
or with the first whom an identity provider vouches for. Where a client redeems a code or refreshes, the row is
enough: nobody is signed out where a client's website is down.
"""

from dataclasses import dataclass

from control.changes.oauth_clients import keep_document
from control.changes.write import changing
from control.oauth.assertions import held
from control.oauth.clients.cimd import is_document_url
from control.oauth.errors import NotSentBack, OAuthRefused
from control.oauth.server import AuthorizationServer
from control.registry.access import Caller
from control.registry.oauth_client import ClientFields, OAuthClient
from control.store import oauth_clients
from control.store.pool import StoreConflict, transaction

_FOR_PEOPLE = "Register another client for people: archway oauth-clients create --acts for_people ..."


@dataclass(frozen=True, slots=True)
class NamedClient:
    """A client as an authorize request names it."""

    client_id: str
    fields: ClientFields
    row: OAuthClient | None
    """None: it is known by its document alone, until a person comes with it."""


async def named_for_person(server: AuthorizationServer, client_id: str) -> NamedClient:
    """The client that wants to act for a person; raises NotSentBack for one that there is not."""
    async with transaction(server.pool, readonly=True) as connection:
        row = await oauth_clients.named(connection, client_id)
    if row is not None and row.disabled_at is not None:
        raise NotSentBack(
            "invalid_client",
            "This client was shut out by an administrator.",
            cure=f"Let it in again: archway oauth-clients enable {row.id}",
        )
    if is_document_url(client_id):
        return NamedClient(client_id, await server.documents.client(client_id, known=row is not None), row)
    if row is None:
        raise NotSentBack(
            "invalid_client",
            "There is no such client here: it was deleted, or its registration was never used and has ended.",
            asked=f"client_id {client_id}",
            cure="Have the client forget what it knows of this server (mostly: remove the server, and add it again), "
            "so that it registers again.",
        )
    if row.acts != "for_people":
        raise NotSentBack("unauthorized_client", "This client acts by itself and signs nobody in.", cure=_FOR_PEOPLE)
    return NamedClient(client_id, row, row)


async def named_for_token(server: AuthorizationServer, client_id: str, assertion: str = "") -> OAuthClient:
    """The client that brings something to the token endpoint; raises OAuthRefused. `assertion`: an identity
    provider's, which it brings.
    """
    async with transaction(server.pool, readonly=True) as connection:
        row = await oauth_clients.named(connection, client_id)
    if row is None and assertion and is_document_url(client_id):
        row = await _introduced(server, client_id, assertion)
    if row is None or row.disabled_at is not None:
        raise OAuthRefused(
            "invalid_client",
            "There is no such client here, or it was shut out.",
            asked=f"client_id {client_id}",
            cure="Have the client forget what it knows of this server, so that it registers again.",
        )
    return row


async def _introduced(server: AuthorizationServer, client_id: str, assertion: str) -> OAuthClient:
    """The client of this document, of which a provider that is known here says that it may come: nobody else makes us
    fetch anything, or keep a row. It has to prove itself as any. Raises OAuthRefused.
    """
    _ = await held(server, assertion, client_id)
    document = await server.documents.client(client_id)
    actor = Caller("", document.name, "member")
    try:
        async with changing(server.pool, actor) as write:
            return await keep_document(write, client_id, document)
    except StoreConflict:  # it came twice at the same moment
        async with changing(server.pool, actor) as write:
            return await keep_document(write, client_id, document)
