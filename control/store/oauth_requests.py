"""SQL for what a person is being asked: requests of clients that wait for an answer, and what was agreed to before.

Written here, since asking is no change: the answer is (`control/changes/oauth_grants.py`). A request is kept for ten
minutes and only for the browser session that it was asked in.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from control.registry.oauth_scopes import OFFLINE
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import insert_into, listed

LIFE: Final = timedelta(minutes=10)
REMEMBERED: Final = timedelta(days=180)
"""How long what a person agreed to is not asked again."""
_MOST_OF_ONE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedConsent:
    """What a client asked a person for: all that its answer needs."""

    session_id: str
    user_id: str
    client_id: str
    """The client's row."""
    gateway_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str


_COLUMNS: Final = columns_of(AskedConsent)


async def keep(connection: Connection, request_id: str, asked: AskedConsent) -> None:
    """Keep a request until it is answered; the oldest of a person who has many give way."""
    values = [getattr(asked, name) for name in _COLUMNS]
    values = [list(value) if isinstance(value, tuple) else value for value in values]
    insert = insert_into("oauth_requests", (*_COLUMNS, "expires_at"))
    await connection.execute(
        insert.replace(f"${len(_COLUMNS) + 2})", f"now() + ${len(_COLUMNS) + 2}::interval)"),
        request_id, *values, LIFE,
    )  # fmt: skip
    await connection.execute(
        """delete from oauth_requests where user_id = $1 and id not in (
               select id from oauth_requests where user_id = $1 order by id desc limit $2)""",
        asked.user_id, _MOST_OF_ONE,
    )  # fmt: skip


async def kept(connection: Connection, request_id: str, session_id: str) -> AskedConsent | None:
    """A request that this very browser session was asked, if it still waits."""
    row = await connection.fetchrow(
        f"select {listed(_COLUMNS)} from oauth_requests where id = $1 and session_id = $2 and expires_at > now()",
        request_id, session_id,
    )  # fmt: skip
    return None if row is None else made(AskedConsent, row)


async def take(connection: Connection, request_id: str, session_id: str) -> AskedConsent | None:
    """The same, which is answered by that: nobody can answer it again."""
    row = await connection.fetchrow(
        f"""delete from oauth_requests where id = $1 and session_id = $2 and expires_at > now()
            returning {listed(_COLUMNS)}""",
        request_id, session_id,
    )  # fmt: skip
    return None if row is None else made(AskedConsent, row)


async def is_agreed(
    connection: Connection, asked: AskedConsent, redirect_host: str, within: timedelta = REMEMBERED
) -> bool:
    """Whether the person agreed to this before, or to more. A client that refreshes gets `offline_access` unasked."""
    row = await connection.fetchrow(
        """select a.scopes, c.refreshes from oauth_consents a join oauth_clients c on c.id = a.client_id
           where a.user_id = $1 and a.client_id = $2 and a.redirect_host = $3 and a.gateway_id = $4
             and a.at > now() - $5::interval""",
        asked.user_id, asked.client_id, redirect_host, asked.gateway_id, within,
    )  # fmt: skip
    return row is not None and {*asked.scopes, *([OFFLINE] if row["refreshes"] else [])} <= set(row["scopes"])


async def has_let_in(connection: Connection, user_id: str, client_pk: str, redirect_host: str) -> bool:
    """Whether the person let this client in at any gateway, to be sent back there."""
    return bool(
        await connection.fetchval(
            """select exists (select from oauth_consents where user_id = $1 and client_id = $2 and redirect_host = $3
                              and at > now() - $4::interval)""",
            user_id, client_pk, redirect_host, REMEMBERED,
        )
    )  # fmt: skip
