"""A person is in: their session begins, it is recorded, and their browser is told. Whatever proved who they are.

    async with changing(deps.pool, caller) as write:
        entered = await enter(write, request, deps, method="password")
    return await welcome(deps, entered, return_to)

Called by `door.py` and by single sign-on. The session that the browser had before ends, whoever's it was.
"""

import logging
from dataclasses import dataclass, field, replace

from aiohttp import web

from control.changes import people
from control.changes.write import Write
from control.http.answering import REQUEST_ID
from control.http.client_address import client_address
from control.http.cookies import DOOR, SESSION, clear_cookie, read_cookie, set_cookie
from control.http.return_to import local_path
from control.public.deps import PublicDeps
from control.registry.access import Caller
from control.registry.browser_session import BrowserSession, Method
from control.registry.sign_in_attempt import NewAttempt
from control.sign_in import devices, session
from control.store import users
from control.store.pool import transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """What the browser of a person who has just signed in is to keep."""

    session: BrowserSession
    secret: str = field(repr=False)
    device: str = field(repr=False)


async def person(request: web.Request, deps: PublicDeps, user_id: str) -> Caller | None:
    """The person as an actor of changes; None for one who is gone or disabled."""
    async with transaction(deps.pool, readonly=True) as connection:
        caller = await users.caller(connection, user_id, "")
    if caller is None:
        return None
    return replace(caller, address=client_address(request), request_id=request[REQUEST_ID])


async def enter(
    write: Write, request: web.Request, deps: PublicDeps, *, method: Method, provider_id: str | None = None
) -> Entered:
    """The actor is signed in, in the browser that sent this request."""
    actor, connection = write.actor, write.connection
    before = await session.session_by(connection, read_cookie(request, deps.cookies, SESSION))
    if before is not None:
        await session.end(connection, before.id)
    secret, begun = await session.begin(
        connection,
        actor.user_id,
        method=method,
        address=actor.address,
        agent=request.headers.get("User-Agent", ""),
        provider_id=provider_id,
    )
    device = await devices.remember(connection, actor.user_id)
    await people.signed_in(write, begun)
    log.info("signed in", extra={"user_id": actor.user_id, "method": method, "address": actor.address})
    return Entered(begun, secret, device)


async def welcome(deps: PublicDeps, entered: Entered, return_to: str) -> web.Response:
    """Note that the person is in; have the browser keep the session, and go where they wanted to go: with 303, so
    that nothing which was sent here is sent there (RFC 9700 section 4.11).
    """
    begun = entered.session
    await deps.sign_ins.note(NewAttempt(step="signed_in", user_id=begun.user_id, address=begun.address))
    response = web.Response(status=303, headers={"Location": local_path(return_to)})
    set_cookie(response, deps.cookies, SESSION, entered.secret, entered.session.age)
    devices.keep(response, deps.cookies, entered.device)
    clear_cookie(response, deps.cookies, DOOR)
    return response
