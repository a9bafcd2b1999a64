"""Who calls the admin API: the bearer of the run's own token, or of a user's `arch_` token that is for the API.

A middleware, before any operation. The bearer's digest picks one of the two; there is no other way in, no cookie,
and no caller without a name. What is unknown, revoked, expired or of a disabled user is refused in the same words. A
token for gateways opens nothing here, not even `/me`: whoever finds one learns nothing with it.
"""

import hmac
import re
from dataclasses import replace
from typing import Final

from aiohttp import web

from control.admin.api import CALLER, DEPS
from control.admin.deps import Deps
from control.http.answering import REQUEST_ID, Handler
from control.http.problems import Problem, forbidden
from control.registry.access import Caller
from control.store import tokens, users
from control.store.pool import transaction
from core.tokens import digest, well_formed

PUBLIC: Final = frozenset({"/health", "/ready"})
"""Answered without a caller; they say whether the process lives and the database answers, nothing else."""
_NOT_OURS: Final = (
    "The bearer token is not one of this deployment. Send an API token, which begins with arch_ (check that it was "
    "copied completely), or the token that `archway up` printed for this run."
)
_FOR_GATEWAYS: Final = (
    "This token is for calling gateways and does not open the admin API. Use an API token: an admin makes one with "
    '`archway tokens create --use api`, or POST /tokens with "use": "api".'
)
_BEARER = re.compile(r"(?i:bearer) ([!-~]{1,512})")


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the caller on the request, or refuse. Also before a path that does not exist."""
    if request.path not in PUBLIC:
        request[CALLER] = await _caller_of(request, request.app[DEPS])
    return await handler(request)


async def _caller_of(request: web.Request, deps: Deps) -> Caller:
    bearer = _bearer_of(request)
    bearer_digest = digest(bearer)
    if deps.run_token_sha256 and hmac.compare_digest(bearer_digest, deps.run_token_sha256.lower()):
        return _named(await _first_admin(deps), request)
    if well_formed(bearer) is None:
        raise unauthenticated(_NOT_OURS)
    async with transaction(deps.pool) as connection:
        held = await tokens.use(connection, bearer_digest)
        if held is None:
            raise unauthenticated("The token is unknown, revoked or expired, or its owner is disabled.")
        if held.use != "api" or held.user_id is None:
            raise forbidden(_FOR_GATEWAYS)
        caller = await users.caller(connection, held.user_id, held.id)
        return replace(_named(caller, request), token_expires_at=held.expires_at)


async def _first_admin(deps: Deps) -> Caller | None:
    async with transaction(deps.pool, readonly=True) as connection:
        admin_id = await users.first_admin(connection)
        return None if admin_id is None else await users.caller(connection, admin_id, "")


def _bearer_of(request: web.Request) -> str:
    given = request.headers.getall("Authorization", [])
    if not given:
        raise unauthenticated("Send your token as Authorization: Bearer <token>.", error="")
    match = _BEARER.fullmatch(given[0])
    if len(given) > 1 or match is None:
        raise unauthenticated("Send the Authorization header once, as: Bearer, one space, the token.")
    return match[1]


def _named(caller: Caller | None, request: web.Request) -> Caller:
    if caller is None:
        raise unauthenticated("The token is unknown, revoked or expired, or its owner is disabled.")
    return replace(caller, address=request.remote or "", request_id=request[REQUEST_ID])


def unauthenticated(detail: str, error: str = ', error="invalid_token"') -> Problem:
    """401 with its challenge (RFC 6750 section 3)."""
    return Problem(401, detail, headers={"WWW-Authenticate": f'Bearer realm="archway"{error}'})
