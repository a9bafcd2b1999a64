"""The grant `refresh_token`: the living token of a family is replaced by the next, or the same is told again.

The grant's row is locked, then the family's, so that of all who refresh at once each sees what those before did
(`control/registry/refresh_rotation.py` decides). Called by `control/oauth/token.py`. A dead token is always told so,
never to come again later: else a client would try for ever.
"""

from aiohttp import web

from control.changes import oauth_grants as changes
from control.changes.write import Write
from control.oauth.as_client import about, changing_by_client, raised, refused_by
from control.oauth.errors import OAuthRefused, invalid_grant
from control.oauth.issue import Issued, issued
from control.oauth.named_gateway import check_same
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import Grant
from control.registry.oauth_scopes import ScopeUnknown, scopes_of
from control.registry.refresh_rotation import IDLE, outcome, with_replaced
from control.registry.refresh_token import BroughtToken, brought
from control.store import oauth_grants
from control.store.oauth_grants import Family
from control.store.pool import transaction

_TWO = "Have the person sign in again; two programs may share one copy of the token, which each needs of its own."
_NO_GOOD = "The refresh token is unknown, was replaced, or has ended."


async def refresh(server: AuthorizationServer, request: web.Request, client: OAuthClient, form: Parameters) -> Issued:
    """Tokens for a refresh token; raises OAuthRefused."""
    token = brought(form.required("refresh_token"))
    if token is None:
        raise invalid_grant(_NO_GOOD)
    await _check_rate(server, token)
    async with changing_by_client(server.pool, client, request) as write:
        result = await _refreshed(server, write, client, form, token)
    return raised(result)


async def _check_rate(server: AuthorizationServer, token: BroughtToken) -> None:
    """Raise OAuthRefused where the grant is refreshed too often: `invalid_grant` at once where it is dead."""
    wait_s = await server.limits.wait("refresh", token.grant_id)
    if not wait_s:
        return
    async with transaction(server.pool, readonly=True) as connection:
        grant = await oauth_grants.one(connection, token.grant_id)
    if grant is None or refused_by(grant):
        raise invalid_grant(_NO_GOOD)
    raise OAuthRefused("slow_down", "This client refreshes too often; try again later.", wait_s=wait_s)


async def _refreshed(
    server: AuthorizationServer, write: Write, client: OAuthClient, form: Parameters, token: BroughtToken
) -> Issued | OAuthRefused:
    connection = write.connection
    grant = await oauth_grants.one(connection, token.grant_id, lock=True)
    family = None if grant is None else await oauth_grants.family(connection, token.grant_id)
    if grant is None or family is None or not server.refresh_tokens.is_ours(token, family.salt):
        return invalid_grant(_NO_GOOD)
    if grant.client_pk != client.id:  # a token of ours, in other hands than it was given to
        await changes.end(write, grant, "token_reused")
        return invalid_grant(_NO_GOOD)
    if refused := refused_by(grant):
        return refused
    if family.now - family.used_at > IDLE:
        return about(grant, invalid_grant("The refresh token was not used for a month."))
    scopes = _scopes(form, grant)
    await check_same(connection, server, form, grant.gateway_id)
    number = await _living(write, grant, family, token.number)
    if number is None:
        return about(grant, invalid_grant(_NO_GOOD, _TWO))
    await oauth_grants.note_use(connection, grant.id)
    return issued(server, grant, scopes, server.refresh_tokens.token(grant.id, number, family.salt))


async def _living(write: Write, grant: Grant, family: Family, number: int) -> int | None:
    """The number of the token that lives after this one was brought; None where the family has ended by it."""
    match outcome(number, family.living, family.replaced_at, family.now):
        case "rotate":
            replaced_at = with_replaced(family.replaced_at, family.now)
            return await oauth_grants.rotate(write.connection, grant.id, replaced_at)
        case "repeat":
            return family.living
        case "reused":
            await changes.end(write, grant, "token_reused")
    return None


def _scopes(form: Parameters, grant: Grant) -> tuple[str, ...]:
    if not form.one("scope"):
        return grant.scopes
    try:
        return scopes_of(form.one("scope"), grant.scopes)
    except ScopeUnknown as unknown:
        raise OAuthRefused("invalid_scope", str(unknown)) from None
