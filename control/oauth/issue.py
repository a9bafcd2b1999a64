"""Makes the answer of the token endpoint for a grant that holds: an access token, perhaps a refresh token.

Called by the files of `grants/`. The access token names one gateway by its one name, and lives ten minutes; proxies
check it by themselves. Leaves out whether the grant holds.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from control.oauth.server import AuthorizationServer
from control.registry.oauth_grant import Grant
from control.registry.resources import canonical_resource
from core.identifiers import new_id
from core.jwt import ACCESS_TOKEN_S, AccessToken


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets, and by which grant."""

    grant: Grant
    answer: dict[str, Any]


def issued(server: AuthorizationServer, grant: Grant, scopes: Sequence[str], refresh_token: str = "") -> Issued:
    """The answer with a fresh access token; '' for no refresh token."""
    now = int(time.time())
    scope = " ".join(scopes)
    token = AccessToken(
        id=new_id(),
        subject=f"user:{grant.user_id}" if grant.user_id is not None else f"client:{grant.client_pk}",
        audience=canonical_resource(server.public_url, grant.gateway_slug),
        client_id=grant.client_id,
        grant_id=grant.id,
        scope=scope,
        issued_at=now,
        expires=now + ACCESS_TOKEN_S,
    )
    answer: dict[str, Any] = {
        "access_token": server.access_tokens.sign(token),
        "token_type": token_type(token),
        "expires_in": ACCESS_TOKEN_S,
        "scope": scope,
    }
    if refresh_token:
        answer["refresh_token"] = refresh_token
    return Issued(grant, answer)


def token_type(_token: AccessToken) -> str:
    """How the token is borne. One that is bound to a key (`cnf`) will be another type."""
    return "Bearer"
