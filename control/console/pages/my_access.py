"""My access: whatever can act as the person who looks, and how each of it is ended: tokens, clients, sessions.

And how their last attempts to sign in went, and what identity providers said of them at the last.
"""

from aiohttp import web

from control.changes import oauth_grants as grant_changes
from control.changes import people as changes
from control.console.pages.grants import MOST_SHOWN, rows_of
from control.console.visit import Visit
from control.identity.said_to_oneself import said_to_oneself
from control.registry.token import told_of_token
from control.store import browser_sessions, oauth_grants, sign_in_attempts, teams, tokens, users
from control.store.pool import transaction

_MOST_TOKENS = 200
_LAST_ATTEMPTS = 5


async def withdraw(visit: Visit) -> web.Response:
    """Take back what a client was allowed: its tokens are refused within a second, running calls end too."""
    await visit.form()
    async with visit.changing() as write:
        await grant_changes.revoke(write, visit.named("grant_id"))
    return visit.go("/my/access", "client-withdrawn")


async def end_session(visit: Visit) -> web.Response:
    """Sign out in another browser, or in this one."""
    await visit.form()
    session_id = visit.named("session_id")
    async with visit.changing() as write:
        await changes.end_session(write, session_id)
    return visit.go("/sign-in" if session_id == visit.visitor.session_id else "/my/access", "session-ended")


async def end_other_sessions(visit: Visit) -> web.Response:
    """Sign out everywhere but here."""
    await visit.form()
    async with visit.changing() as write:
        await changes.end_sessions_of(write, visit.caller.user_id, but=visit.visitor.session_id)
    return visit.go("/my/access", "sessions-ended")


async def show(visit: Visit) -> web.Response:
    """The page."""
    me = visit.caller.user_id
    async with transaction(visit.pool, readonly=True) as connection:
        own = await tokens.page(
            connection, limit=_MOST_TOKENS, after=None, everything=False, of_user=me, of_teams=[], user_id=me
        )
        return visit.page(
            "my_access/show.html",
            person=await users.one(connection, me),
            tokens=[told_of_token(one) for one in own],
            grants=rows_of(
                await oauth_grants.page(
                    connection, limit=MOST_SHOWN, after=None, everything=False, of_user=me, user_id=me
                )
            ),
            sessions=await browser_sessions.of_user(connection, me),
            attempts=await sign_in_attempts.page(connection, limit=_LAST_ATTEMPTS, user_id=me),
            teams=await teams.of_user(connection, me),
            said_of_me=await said_to_oneself(connection, visit.deps.safeguards.seals, me),
        )
