"""The token endpoint (RFC 6749 section 3.2): a client proves itself and brings what tokens are made of."""

from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Final

from aiohttp import web

from control.oauth.assertions import GRANT_TYPE
from control.oauth.client_authentication import authenticated
from control.oauth.errors import OAuthRefused
from control.oauth.grants import assertion, client, code, refresh
from control.oauth.issue import Issued
from control.oauth.named_gateway import named_in_notes
from control.oauth.parameters import Parameters, of_form
from control.oauth.programs import json_answer
from control.oauth.server import AuthorizationServer
from control.registry.oauth_client import OAuthClient

Redeem = Callable[[AuthorizationServer, web.Request, OAuthClient, Parameters], Awaitable[Issued]]
GRANTS: Final = MappingProxyType(
    {
        "authorization_code": code.redeem,
        "refresh_token": refresh.refresh,
        "client_credentials": client.by_itself,
        GRANT_TYPE: assertion.exchange,
    }
)
"""By `grant_type`; the metadata names these, in this order."""


class TokenEndpoint:
    """Answers with tokens, or says in the protocol's words why not; either leaves a trace."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server

    async def handle(self, request: web.Request) -> web.Response:
        """One request; raises OAuthRefused."""
        form, named = Parameters(()), ""
        try:
            form = await of_form(request)
            redeem: Redeem | None = GRANTS.get(form.required("grant_type"))
            if redeem is None:
                raise OAuthRefused("unsupported_grant_type", "This grant_type is none of the metadata's.")
            proven = await authenticated(self._server, request, form)
            named = proven.name
            done = await redeem(self._server, request, proven, form)
        except OAuthRefused as refused:
            await self._server.traces.note(
                request,
                "token",
                client=named or form.one("client_id"),
                gateway=named_in_notes(self._server, form),
                refused=refused,
            )
            raise
        # That a client goes on is no news: refreshes that went well would be most of what is kept.
        if form.one("grant_type") != "refresh_token":
            await self._server.traces.note(
                request, "token", client=named, gateway=done.grant.gateway_slug, user_id=done.grant.user_id
            )
        return json_answer(done.answer)
