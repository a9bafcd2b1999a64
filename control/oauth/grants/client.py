"""The grant `client_credentials`: a client that an admin registered to act by itself calls a gateway as nobody else.

Called by `control/oauth/token.py`. There is one grant for each client and gateway, which tokens name, so that
taking it back ends them; no refresh token, since the client can prove itself again.
"""

from typing import Final

from aiohttp import web

from control.changes import oauth_grants as changes
from control.changes.oauth_grants import NewGrant
from control.changes.write import Write
from control.oauth.as_client import changing_by_client
from control.oauth.errors import OAuthRefused
from control.oauth.issue import Issued, issued
from control.oauth.named_gateway import asked_gateway, invalid_target
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.gateway import Gateway, visibility_of
from control.registry.oauth_client import OAuthClient, may_call, principal_of
from control.registry.oauth_grant import Grant
from control.registry.oauth_scopes import CALL, ScopeUnknown, scopes_of
from control.registry.sign_in_cures import let_in, visible_to_its_team
from control.store import gateway_names, oauth_clients
from control.store.pool import StoreConflict
from core.visibility import may_enter

_NOT_HERE: Final = "This client is not let in at that gateway."


async def by_itself(
    server: AuthorizationServer, request: web.Request, client: OAuthClient, form: Parameters
) -> Issued:
    """A token for a client that acts by itself; raises OAuthRefused."""
    if client.acts != "by_itself":
        raise OAuthRefused("unauthorized_client", "This client acts for people; have a person sign in.")
    wait_s = await server.limits.wait("client", client.id)
    if wait_s:
        raise OAuthRefused("slow_down", "This client asks for tokens too often.", wait_s=wait_s)
    try:
        scopes = scopes_of(form.one("scope"), (CALL,))
    except ScopeUnknown:
        raise OAuthRefused("invalid_scope", f"By itself a client can ask for the scope {CALL} alone.") from None
    try:
        grant = await _allowed(server, request, client, form, scopes)
    except StoreConflict:  # another request of this client was the first at this gateway, at the same moment
        grant = await _allowed(server, request, client, form, scopes)
    return issued(server, grant, scopes)


async def _allowed(
    server: AuthorizationServer, request: web.Request, client: OAuthClient, form: Parameters, scopes: tuple[str, ...]
) -> Grant:
    async with changing_by_client(server.pool, client, request) as write:
        gateway = await _gateway(server, write, client, form)
        wanted = NewGrant(client_pk=client.id, user_id=None, gateway_id=gateway.id, scopes=scopes)
        grant = await changes.allow_itself(write, wanted)
        await oauth_clients.note_use(write.connection, client.id)
    return grant


async def _gateway(server: AuthorizationServer, write: Write, client: OAuthClient, form: Parameters) -> Gateway:
    """The gateway that is asked for, or the only one that lets this client in; raises OAuthRefused."""
    principal = principal_of(client.id, client.name, client.team_id)
    gateway = await asked_gateway(write.connection, server, form)
    if gateway is None:
        open_to = await gateway_names.naming(write.connection, client.client_id)
        seen = [one for one in open_to if may_enter(principal, visibility_of(one))]
        if len(seen) != 1:
            raise invalid_target("The request names no gateway; name one with the parameter resource.")
        gateway = seen[0]
    if not may_call(client.client_id, gateway.allowed_clients):
        names = ", ".join(gateway.allowed_clients)
        raise invalid_target(
            _NOT_HERE, asked=f"the gateway names {names}", cure=let_in(gateway.slug, client.client_id)
        )
    if not may_enter(principal, visibility_of(gateway)):
        raise invalid_target(_NOT_HERE, cure=visible_to_its_team(gateway.slug, client.client_id))
    return gateway
