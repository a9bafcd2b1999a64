"""Browser sessions: begun when a person has proved who they are, found again by their cookie, ended.

    secret, session = await begin(connection, user_id, method="password", address=..., agent=...)
    set_cookie(response, deps.cookies, SESSION, secret, session.age)

Called by whoever signs people in (`routes.py`, single sign-on) and by pages. Each sign-in makes a new secret, and
none is ever taken from the browser: a session that somebody planted there beforehand stays theirs.
"""

import secrets
from typing import Final

from control.http.cookies import may_be_secret
from control.registry.browser_session import BrowserSession, Method, NewSession
from control.store import browser_sessions
from control.store.pool import Connection
from core.tokens import digest

_SECRET_BYTES: Final = 32
"""256 bits: a stored SHA-256 is sufficient, as for tokens."""
_LONGEST_AGENT: Final = 256


async def begin(
    connection: Connection,
    user_id: str,
    *,
    method: Method,
    address: str,
    agent: str,
    provider_id: str | None = None,
) -> tuple[str, BrowserSession]:
    """A person is signed in: the secret for their cookie, and the session. StoreConflict where they are gone."""
    secret = new_secret()
    wanted = NewSession(
        user_id=user_id,
        method=method,
        provider_id=provider_id,
        csrf=new_secret(),
        address=address,
        agent="".join(char if char.isprintable() else "?" for char in agent[:_LONGEST_AGENT]),
    )
    return secret, await browser_sessions.insert(connection, digest(secret), wanted)


async def session_by(connection: Connection, secret: str) -> BrowserSession | None:
    """The session of a cookie's secret, None where it is over or its person disabled. Needs a writing transaction."""
    if not may_be_secret(secret):
        return None
    return await browser_sessions.by_digest(connection, digest(secret))


async def end(connection: Connection, session_id: str) -> None:
    """The session is over; its cookie opens nothing any more."""
    await browser_sessions.delete(connection, session_id)


def new_secret() -> str:
    """A secret that nobody can guess, fit for cookies, forms and URLs."""
    return secrets.token_urlsafe(_SECRET_BYTES)
