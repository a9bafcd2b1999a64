"""The revocation endpoint (RFC 7009): a client gives back a token, and with it all that its grant is good for.

An access token cannot be ended alone, since proxies check it by themselves; its grant can, within a second. A token
that is none, or another client's, is answered as one that was ended: the client has nothing to mend.
"""

import time

from aiohttp import web

from control.changes import oauth_grants as changes
from control.oauth.as_client import changing_by_client
from control.oauth.client_authentication import authenticated
from control.oauth.parameters import of_form
from control.oauth.programs import json_answer
from control.oauth.server import AuthorizationServer
from control.registry.oauth_client import OAuthClient
from control.registry.refresh_token import brought
from control.store import oauth_grants
from core.identifiers import is_id
from core.jwt import TokenRefused, signed_by


class RevocationEndpoint:
    """Ends the grant of a token that its client gives back."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server

    async def handle(self, request: web.Request) -> web.Response:
        """One request; raises OAuthRefused."""
        form = await of_form(request)
        client = await authenticated(self._server, request, form)
        token = form.required("token")
        grant_id = self._grant_named_by(token)
        if grant_id:
            await self._end(request, client, token, grant_id)
        return json_answer({})

    def _grant_named_by(self, token: str) -> str:
        refresh_token = brought(token)
        if refresh_token is not None:
            return refresh_token.grant_id
        try:
            named = signed_by(self._server.access_tokens, token, time.time()).grant_id
        except TokenRefused:
            return ""
        return named if is_id(named) else ""

    async def _end(self, request: web.Request, client: OAuthClient, token: str, grant_id: str) -> None:
        async with changing_by_client(self._server.pool, client, request) as write:
            grant = await oauth_grants.one(write.connection, grant_id, lock=True)
            if grant is None or grant.client_pk != client.id:
                return
            refresh_token = brought(token)
            if refresh_token is not None:
                family = await oauth_grants.family(write.connection, grant_id)
                if family is None or not self._server.refresh_tokens.is_ours(refresh_token, family.salt):
                    return
            await changes.end(write, grant, "asked")
