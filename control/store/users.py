"""Users: rows, who is an admin, and what goes with a user who goes."""

import logging
from collections.abc import Mapping
from typing import Any

from control.registry.access import Caller
from control.store.outbox import announce, gateways_gone, touch_gateways
from control.store.pool import Connection, Row
from core.identifiers import new_id

log = logging.getLogger(__name__)
FIRST_ADMIN = ("Administrator", "admin@localhost")


async def ensure_first_admin(connection: Connection) -> None:
    """At the first start: one admin, so that the run's own token acts for somebody. Replicas may race."""
    made = await connection.fetchval(
        """insert into users (id, name, email, role) select $1, $2, $3, 'admin'
           where not exists (select from users) on conflict do nothing returning id""",
        new_id(), *FIRST_ADMIN,
    )  # fmt: skip
    if made is not None:
        log.info("first admin made", extra={"user_id": made})


async def first_admin(connection: Connection) -> str | None:
    """The admin for whom the run's own token acts: the oldest who is not disabled."""
    found: str | None = await connection.fetchval(
        "select id from users where role = 'admin' and disabled_at is null order by id limit 1"
    )
    return found


async def caller(connection: Connection, user_id: str, token_id: str) -> Caller | None:
    """The user as a caller of the admin API; None for one who is gone or disabled."""
    row = await connection.fetchrow(
        """select u.name, u.role,
                  coalesce(jsonb_object_agg(m.team_id, m.role) filter (where m.team_id is not null), '{}') as teams
           from users u left join memberships m on m.user_id = u.id
           where u.id = $1 and u.disabled_at is null group by u.id""",
        user_id,
    )
    return None if row is None else Caller(user_id, row["name"], row["role"], row["teams"], token_id)


async def one(connection: Connection, user_id: str, *, lock: bool = False) -> Row | None:
    """The row; locked for a change."""
    sql = "select * from users where id = $1 for update" if lock else "select * from users where id = $1"
    found: Row | None = await connection.fetchrow(sql, user_id)
    return found


async def page(
    connection: Connection, *, limit: int, after: str | None, email: str | None = None, role: str | None = None
) -> list[Row]:
    """Oldest first."""
    rows: list[Row] = await connection.fetch(
        """select * from users
           where ($2::uuid is null or id > $2) and ($3::text is null or lower(email) = lower($3))
             and ($4::text is null or role = $4)
           order by id limit $1""",
        limit, after, email, role,
    )  # fmt: skip
    return rows


async def create(connection: Connection, name: str, email: str, role: str) -> Row:
    """A new user; StoreConflict `users_email`."""
    return await connection.fetchrow(
        "insert into users (id, name, email, role) values ($1, $2, $3, $4) returning *", new_id(), name, email, role
    )


async def update(connection: Connection, row: Row, changes: Mapping[str, Any]) -> Row:
    """The row with `name`, `email` or `role` as in `changes`; announced, for proxies hold names."""
    new = {**dict(row), **changes}
    await announce(connection, "user", row["id"])
    return await connection.fetchrow(
        """update users set name = $2, email = $3, role = $4, updated_at = now(), version = version + 1
           where id = $1 returning *""",
        row["id"], new["name"], new["email"], new["role"],
    )  # fmt: skip


async def set_disabled(connection: Connection, user_id: str, disabled: bool) -> Row:
    """Shut a user out, or let them in again."""
    await announce(connection, "user", user_id)
    return await connection.fetchrow(
        """update users set disabled_at = case when $2 then now() end, updated_at = now(), version = version + 1
           where id = $1 returning *""",
        user_id, disabled,
    )  # fmt: skip


async def other_admins(connection: Connection, user_id: str) -> int:
    """How many admins there are beside this one. Locks them, so that two cannot go at the same time."""
    rows = await connection.fetch(
        "select id from users where role = 'admin' and disabled_at is null order by id for update"
    )
    return sum(row["id"] != user_id for row in rows)


async def delete(connection: Connection, user_id: str) -> None:
    """The user with tokens, memberships, personal installations and gateways; announces all that proxies hold."""
    digests = await connection.fetch("select digest from tokens where user_id = $1", user_id)
    installations = await connection.fetch("select id from installations where user_id = $1", user_id)
    own_gateways = await connection.fetch("select id from gateways where owner_id = $1", user_id)
    pinned = await connection.fetch(
        """select distinct a.gateway_id from assignments a join installations i on i.id = a.installation_id
           where i.user_id = $1""",
        user_id,
    )
    for row in digests:
        await announce(connection, "token", row["digest"])
    for row in installations:
        await announce(connection, "installation", row["id"])
    await announce(connection, "user", user_id)
    await connection.execute("delete from users where id = $1", user_id)
    await gateways_gone(connection, (row["id"] for row in own_gateways))
    await touch_gateways(connection, (row["gateway_id"] for row in pinned))
