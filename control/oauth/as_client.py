"""Changes that a client brings about by itself at an endpoint: a transaction with the client as its actor.

Called by the grants of the token endpoint (`grants/`) and by the revocation endpoint. A refusal that changes
something (a code that came twice ends its grant) is returned, not raised, so that the change is committed before the
client hears of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from control.changes.write import Write, changing
from control.http.answering import REQUEST_ID
from control.http.client_address import client_address
from control.oauth.errors import OAuthRefused, invalid_grant
from control.registry.access import Caller
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import Grant, Refusal, refusal_of
from control.registry.sign_in_cures import let_in
from control.store.pool import Pool

T = TypeVar("T")
_SENTENCES: dict[Refusal, str] = {
    "revoked": "Access was taken back.",
    "expired": "Access has ended after a year.",
    "disabled": "The person was shut out.",
    "client_gone": "The client was shut out.",
    "client_not_allowed": "The gateway does not let this client in any more.",
    "not_vouched_for": "The gateway's identity provider does not vouch for the person any more.",
}


@asynccontextmanager
async def changing_by_client(pool: Pool, client: OAuthClient, request: web.Request) -> AsyncIterator[Write]:
    """A transaction in which this client brings something about."""
    actor = Caller("", client.name, "member", address=client_address(request), request_id=request[REQUEST_ID])
    async with changing(pool, actor) as write:
        yield write


def raised(outcome: T | OAuthRefused) -> T:
    """The outcome of a transaction; raises the refusal that it is."""
    if isinstance(outcome, OAuthRefused):
        raise outcome
    return outcome


def refused_by(grant: Grant) -> OAuthRefused | None:
    """Why the grant is good for nothing, if it is."""
    why = refusal_of(grant)
    if not why:
        return None
    return about(grant, invalid_grant(_SENTENCES[why], _cure(grant, why)))


def about(grant: Grant, refused: OAuthRefused) -> OAuthRefused:
    """The refusal of what belongs to a grant: the trace says whose it is."""
    refused.grant = grant
    return refused


def _cure(grant: Grant, why: Refusal) -> str:
    if why == "client_not_allowed":
        return let_in(grant.gateway_slug, grant.client_id)
    if why == "client_gone":
        return f"Let the client in again: archway oauth-clients enable {grant.client_pk}"
    if why == "disabled":
        return f"Let the person in again: archway users enable {grant.user_id}"
    return "Have the person sign in again with the client."
