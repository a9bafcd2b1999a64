"""The grant `authorization_code`: a code is redeemed once, by the client and for what it was made for.

Of two who bring one code, the row's lock lets the first through; the second ends what the first got, since somebody
has a copy (RFC 6749 section 4.1.2). Called by `control/oauth/token.py`.
"""

import hmac
import re
from typing import Final

from aiohttp import web

from control.changes import oauth_grants as changes
from control.changes.write import Write
from control.http.client_address import client_address
from control.oauth.as_client import about, changing_by_client, raised, refused_by
from control.oauth.errors import OAuthRefused, invalid_grant
from control.oauth.issue import Issued, issued
from control.oauth.named_gateway import check_same
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import Grant
from control.registry.oauth_scopes import OFFLINE
from control.registry.pkce import s256_challenge
from control.registry.refresh_token import new_salt
from control.store import oauth_grants
from control.store.oauth_grants import Code
from core.tokens import digest

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_TWICE: Final = "Have the person sign in again; the code was brought twice, so somebody may have a copy of it."
_NO_GOOD: Final = "The code is unknown, was used, or has expired."


async def redeem(server: AuthorizationServer, request: web.Request, client: OAuthClient, form: Parameters) -> Issued:
    """Tokens for a code; raises OAuthRefused."""
    await server.limits.check("code", client_address(request))
    code, verifier = form.required("code"), form.required("code_verifier")
    async with changing_by_client(server.pool, client, request) as write:
        outcome = await _redeemed(server, write, client, form, digest(code), verifier)
    return raised(outcome)


async def _redeemed(
    server: AuthorizationServer, write: Write, client: OAuthClient, form: Parameters, code: str, verifier: str
) -> Issued | OAuthRefused:
    connection = write.connection
    kept = await oauth_grants.code(connection, code)
    grant = None if kept is None else await oauth_grants.one(connection, kept.grant_id, lock=True)
    if kept is None or grant is None:
        return invalid_grant(_NO_GOOD)
    if kept.used:
        await changes.end(write, grant, "code_reused")
        return about(grant, invalid_grant(_NO_GOOD, _TWICE))
    if grant.client_pk != client.id or kept.expired:
        return invalid_grant(_NO_GOOD)
    if why := _why_not(kept, form, verifier):
        return about(grant, why)
    await check_same(connection, server, form, grant.gateway_id)
    if refused := refused_by(grant):
        return refused
    await oauth_grants.redeem(connection, code, grant.id)
    return issued(server, grant, grant.scopes, await _refresh_token(server, write, client, grant))


def _why_not(kept: Code, form: Parameters, verifier: str) -> OAuthRefused | None:
    redirect = form.one("redirect_uri")
    if redirect and redirect != kept.redirect_uri:
        return invalid_grant("The code was made for another redirect_uri.")
    if not _VERIFIER.fullmatch(verifier):
        return invalid_grant("The code_verifier is out of form (RFC 7636 section 4.1).")
    if not hmac.compare_digest(s256_challenge(verifier), kept.challenge):
        return invalid_grant("The code_verifier does not fit the code.")
    return None


async def _refresh_token(server: AuthorizationServer, write: Write, client: OAuthClient, grant: Grant) -> str:
    if not client.refreshes and OFFLINE not in grant.scopes:
        return ""
    salt = new_salt()
    await oauth_grants.begin_family(write.connection, grant.id, salt)
    return server.refresh_tokens.token(grant.id, 1, salt)
