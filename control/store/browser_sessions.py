"""SQL of browser sessions: looked up by the digest of their cookie's secret, begun, used, ended.

Called by `control/sign_in/session.py` and by the listener for people. A session is no part of the registry and no
proxy holds one, so that nothing is announced; ending somebody's is recorded by `control/changes/people.py`. A person
who is disabled has no session from that moment on, whatever rows there are.
"""

from typing import Final

from control.registry.browser_session import (
    IDLE,
    LONGEST,
    MOST_OF_ONE_PERSON,
    USE_IS_NEWS_AFTER,
    BrowserSession,
    NewSession,
)
from control.store.pool import Connection, Row
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed
from core.identifiers import new_id

_COLUMNS: Final = columns_of(BrowserSession)
_NEW: Final = columns_of(NewSession)
_INSERT: Final = f"""insert into browser_sessions (id, digest, expires_at, {listed(_NEW)})
    values ($1, $2, now() + $3::interval, $4, $5, $6, $7, $8, $9) returning {listed(_COLUMNS)}"""
_SELECT: Final = f"select {listed(_COLUMNS, 's')} from browser_sessions s join users u on u.id = s.user_id "
_HOLDS: Final = "s.expires_at > now() and s.last_used_at > now() - $2::interval and u.disabled_at is null"


async def by_digest(connection: Connection, digest: str) -> BrowserSession | None:
    """The session whose secret has this digest, if it still holds; notes its use. Needs a writing transaction."""
    row = await connection.fetchrow(
        _SELECT.replace(" from ", ", s.last_used_at < now() - $3::interval as use_is_news from ", 1)
        + f"where s.digest = $1 and {_HOLDS}",
        digest, IDLE, USE_IS_NEWS_AFTER,
    )  # fmt: skip
    if row is None:
        return None
    if row["use_is_news"]:
        await _note_use(connection, row["id"])
    return _made(row)


async def _note_use(connection: Connection, session_id: str) -> None:
    """Never waits for another who writes the same."""
    await connection.execute(
        """update browser_sessions set last_used_at = now() where id in (
               select id from browser_sessions where id = $1 for no key update skip locked)""",
        session_id,
    )


async def insert(connection: Connection, digest: str, session: NewSession) -> BrowserSession:
    """A session begins; what is over, or one too many, goes. StoreConflict where the user is gone."""
    await connection.execute(
        """delete from browser_sessions where id in (
               select id from browser_sessions where expires_at <= now() or last_used_at <= now() - $1::interval
               limit 1000 for update skip locked)""",
        IDLE,
    )
    await connection.execute(
        """delete from browser_sessions where id in (
               select id from browser_sessions where user_id = $1 order by id desc offset $2)""",
        session.user_id, MOST_OF_ONE_PERSON - 1,
    )  # fmt: skip
    row = await connection.fetchrow(_INSERT, new_id(), digest, LONGEST[session.method], *values_of(session, _NEW))
    return _made(row)


async def one(connection: Connection, session_id: str) -> BrowserSession | None:
    """The session with this identifier, if it still holds."""
    row = await connection.fetchrow(_SELECT + f"where s.id = $1 and {_HOLDS}", session_id, IDLE)
    return None if row is None else _made(row)


async def holds(connection: Connection, session_id: str) -> bool:
    """Whether the session still holds, and is not ended by anybody before the transaction ends."""
    row = await connection.fetchrow(
        f"select s.id from browser_sessions s join users u on u.id = s.user_id where s.id = $1 and {_HOLDS} "
        "for share of s",
        session_id, IDLE,
    )  # fmt: skip
    return row is not None


async def of_user(connection: Connection, user_id: str) -> list[BrowserSession]:
    """A person's sessions that hold, the newest first."""
    rows = await connection.fetch(_SELECT + f"where s.user_id = $1 and {_HOLDS} order by s.id desc", user_id, IDLE)
    return [_made(row) for row in rows]


async def page(
    connection: Connection, *, limit: int, before_id: str | None, user_id: str | None = None
) -> list[BrowserSession]:
    """Sessions that hold, the newest first, below `before_id` (identifiers rise with time)."""
    rows = await connection.fetch(
        _SELECT
        + f"""where ($1::uuid is null or s.id < $1) and {_HOLDS} and ($3::uuid is null or s.user_id = $3)
              order by s.id desc limit $4""",
        before_id, IDLE, user_id, limit,
    )  # fmt: skip
    return [_made(row) for row in rows]


async def delete(connection: Connection, session_id: str) -> None:
    """The session ends."""
    await connection.execute("delete from browser_sessions where id = $1", session_id)


async def delete_all_of(connection: Connection, user_id: str, *, but: str | None = None) -> list[BrowserSession]:
    """All sessions of a person end, `but` one; those that ended."""
    rows = await connection.fetch(
        f"""delete from browser_sessions where user_id = $1 and ($2::uuid is null or id <> $2)
            returning {listed(_COLUMNS)}""",
        user_id, but,
    )  # fmt: skip
    return sorted((_made(row) for row in rows), key=lambda session: session.id)


async def delete_all_by(connection: Connection, provider_id: str, *, user_id: str | None = None) -> None:
    """All sessions of people for whom this identity provider vouched end; `user_id`: of this one alone."""
    await connection.execute(
        "delete from browser_sessions where provider_id = $1 and ($2::uuid is null or user_id = $2)",
        provider_id, user_id,
    )  # fmt: skip


def _made(row: Row) -> BrowserSession:
    return made(BrowserSession, row)
