"""`/sessions`: the browsers in which people are signed in. Begun by `control/sign_in/`, ended here too.

An end holds from the session's next request on: nothing remembers a session. All of a user's are ended at
`/users/{user_id}/end-sessions`.
"""

from control.admin.api import Asked, Operations
from control.admin.resource import shown, whose
from control.admin.session_models import EndedSessions, Session, SessionQuery
from control.changes import people
from control.http.models import Id
from control.http.paging import Page, page_of
from control.http.problems import not_found
from control.registry.browser_session import told_of_session
from control.registry.owner import Person
from control.store import browser_sessions
from control.store.pool import transaction

operations = Operations("sessions")


@operations.get("/sessions")
async def list_sessions(asked: Asked, query: SessionQuery) -> Page[Session]:
    """List browser sessions, the newest first: one's own, or all to an admin."""
    user_id = whose(asked.caller, "session:read", query.user_id)
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await browser_sessions.page(connection, limit=query.fetch, before_id=query.after, user_id=user_id)
    return page_of(rows, query, lambda one: shown(Session, told_of_session(one)), lambda one: one.id)


@operations.get("/sessions/{session_id}")
async def get_session(asked: Asked, session_id: Id) -> Session:
    """Show a browser session."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await browser_sessions.one(connection, session_id)
    if found is None or not asked.caller.may_for("session:read", Person(found.user_id)):
        raise not_found("session")
    return shown(Session, told_of_session(found))


@operations.delete("/sessions/{session_id}", if_match=False)
async def delete_session(asked: Asked, session_id: Id) -> None:
    """End a browser session: the browser is asked to sign in again at its next request."""
    async with asked.changing() as write:
        await people.end_session(write, session_id)


@operations.post("/users/{user_id}/end-sessions", status=200)
async def end_sessions(asked: Asked, user_id: Id) -> EndedSessions:
    """End all browser sessions of a user at once: for a device that was lost. Users may end all of their own."""
    async with asked.changing() as write:
        return EndedSessions(ended=await people.end_sessions_of(write, user_id))
