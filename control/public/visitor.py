"""Who looks at a page: the person whose session the browser's cookie names, with all that they may do.

`recognise` is a middleware, which puts a `Visitor` on the request. Handlers ask `visitor_of`, or `signed_in` where a
person is needed. A session that is over, or of somebody who was disabled, is no session: the database is asked each
time, so that an end holds from the next request on.
"""

from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from control.http.answering import REQUEST_ID, Handler
from control.http.client_address import client_address
from control.http.cookies import SESSION, may_be_secret, read_cookie
from control.public.deps import PublicDeps
from control.registry.access import Caller
from control.store import browser_sessions, users
from control.store.pool import transaction
from core.tokens import digest

PUBLIC_DEPS: web.AppKey[PublicDeps] = web.AppKey("public_deps", PublicDeps)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who signed in in this browser."""

    caller: Caller
    """What they hold, with the address and the request for the trail."""
    session_id: str
    csrf: str
    """What each form of this session must bring along; `control/http/csrf.py` compares it."""


VISITOR: Final[web.RequestKey[Visitor]] = web.RequestKey("visitor", Visitor)


class SignInFirst(Exception):
    """A page that needs a person was asked for by a stranger, who is answered with the way to the sign-in page."""


@web.middleware
async def recognise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the visitor on the request, if there is one. Files and the well-known documents are nobody's."""
    deps = request.app[PUBLIC_DEPS]
    secret = read_cookie(request, deps.cookies, SESSION)
    if may_be_secret(secret) and not request.path.startswith(("/static/", "/.well-known/")):
        visitor = await _visitor(request, deps, secret)
        if visitor is not None:
            request[VISITOR] = visitor
    return await handler(request)


def visitor_of(request: web.Request) -> Visitor | None:
    """The person who is signed in; None for a stranger."""
    return request.get(VISITOR)


def signed_in(request: web.Request) -> Visitor:
    """The person who is signed in; raises SignInFirst for a stranger, who comes back here afterwards."""
    visitor = visitor_of(request)
    if visitor is None:
        raise SignInFirst
    return visitor


async def still_holds(deps: PublicDeps, visitor: Visitor) -> bool:
    """Whether the session still holds: for answers that stay open, which ask now and then."""
    async with transaction(deps.pool, readonly=True) as connection:
        return await browser_sessions.one(connection, visitor.session_id) is not None


async def _visitor(request: web.Request, deps: PublicDeps, secret: str) -> Visitor | None:
    async with transaction(deps.pool) as connection:
        session = await browser_sessions.by_digest(connection, digest(secret))
        caller = None if session is None else await users.caller(connection, session.user_id, "")
    if session is None or caller is None:
        return None
    named = replace(caller, address=client_address(request), request_id=request[REQUEST_ID], session_id=session.id)
    return Visitor(named, session.id, session.csrf)
