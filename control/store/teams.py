"""Teams and their members, and what goes with a team that goes.

A team's version rises with its members too: the list of members is part of what a writer has read.
"""

from collections.abc import Mapping
from typing import Any

from control.store.outbox import announce, touch_gateways
from control.store.pool import Connection, Row
from core.identifiers import new_id


async def one(connection: Connection, team_id: str, *, lock: bool = False) -> Row | None:
    """The row; locked for a change."""
    sql = "select * from teams where id = $1 for update" if lock else "select * from teams where id = $1"
    found: Row | None = await connection.fetchrow(sql, team_id)
    return found


async def page(
    connection: Connection, *, limit: int, after: str | None, member: str | None, name: str | None = None
) -> list[Row]:
    """Oldest first; those of `member` alone when given."""
    rows: list[Row] = await connection.fetch(
        """select * from teams
           where ($2::uuid is null or id > $2) and ($4::text is null or lower(name) = lower($4))
             and ($3::uuid is null or id in (select team_id from memberships where user_id = $3))
           order by id limit $1""",
        limit, after, member, name,
    )  # fmt: skip
    return rows


async def of_user(connection: Connection, user_id: str) -> list[Row]:
    """Teams of a user, with the role there."""
    rows: list[Row] = await connection.fetch(
        """select t.id, t.name, m.role from memberships m join teams t on t.id = m.team_id
           where m.user_id = $1 order by lower(t.name)""",
        user_id,
    )
    return rows


async def create(connection: Connection, name: str, description: str) -> Row:
    """A new team; StoreConflict `teams_name`."""
    return await connection.fetchrow(
        "insert into teams (id, name, description) values ($1, $2, $3) returning *", new_id(), name, description
    )


async def update(connection: Connection, row: Row, changes: Mapping[str, Any]) -> Row:
    """The row with `name` or `description` as in `changes`; announced, for proxies hold names."""
    new = {**dict(row), **changes}
    await announce(connection, "team", row["id"])
    return await connection.fetchrow(
        """update teams set name = $2, description = $3, updated_at = now(), version = version + 1
           where id = $1 returning *""",
        row["id"], new["name"], new["description"],
    )  # fmt: skip


async def delete(connection: Connection, team_id: str) -> None:
    """The team with its tokens, memberships and installations; announces all that proxies hold."""
    digests = await connection.fetch("select digest from tokens where team_id = $1", team_id)
    members = await connection.fetch("select user_id from memberships where team_id = $1", team_id)
    installations = await connection.fetch("select id from installations where team_id = $1", team_id)
    gateways = await connection.fetch(
        """select gateway_id from gateway_teams where team_id = $1
           union select a.gateway_id from assignments a join installations i on i.id = a.installation_id
           where i.team_id = $1""",
        team_id,
    )
    for row in digests:
        await announce(connection, "token", row["digest"])
    for row in installations:
        await announce(connection, "installation", row["id"])
    for row in members:
        await announce(connection, "user", row["user_id"])
    await announce(connection, "team", team_id)
    await connection.execute("delete from teams where id = $1", team_id)
    await touch_gateways(connection, (row["gateway_id"] for row in gateways))


async def members(connection: Connection, team_id: str, *, limit: int, after: str | None) -> list[Row]:
    """Members with name and email, by user id."""
    rows: list[Row] = await connection.fetch(
        """select m.team_id, m.user_id, m.role, m.created_at, u.name, u.email
           from memberships m join users u on u.id = m.user_id
           where m.team_id = $2 and ($3::uuid is null or m.user_id > $3) order by m.user_id limit $1""",
        limit, team_id, after,
    )  # fmt: skip
    return rows


async def member(connection: Connection, team_id: str, user_id: str) -> Row | None:
    """One member, as in `members`."""
    found: Row | None = await connection.fetchrow(
        """select m.team_id, m.user_id, m.role, m.created_at, u.name, u.email
           from memberships m join users u on u.id = m.user_id where m.team_id = $1 and m.user_id = $2""",
        team_id, user_id,
    )  # fmt: skip
    return found


async def set_member(connection: Connection, team_id: str, user_id: str, role: str) -> None:
    """Let a user in, or change the role there; StoreConflict `memberships_user_id_fkey`."""
    await connection.execute(
        """insert into memberships (team_id, user_id, role) values ($1, $2, $3)
           on conflict (team_id, user_id) do update set role = excluded.role""",
        team_id, user_id, role,
    )  # fmt: skip
    await _members_changed(connection, team_id, user_id)


async def remove_member(connection: Connection, team_id: str, user_id: str) -> None:
    """The user leaves the team; proxies hear of it as of a revocation."""
    await connection.execute("delete from memberships where team_id = $1 and user_id = $2", team_id, user_id)
    await _members_changed(connection, team_id, user_id)


async def _members_changed(connection: Connection, team_id: str, user_id: str) -> None:
    await connection.execute("update teams set version = version + 1, updated_at = now() where id = $1", team_id)
    await announce(connection, "user", user_id)
