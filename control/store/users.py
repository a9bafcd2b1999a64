"""SQL that reads users: rows, who is an admin, and what goes with a user who goes. Written in `writes/users.py`."""

from dataclasses import dataclass
from typing import Final

from control.registry.access import Caller, GivenSet
from control.registry.user import User
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(User)
_SELECT: Final = f"select {listed(COLUMNS)} from users "
_CALLER: Final = """
    select u.name, u.role,
           coalesce((select jsonb_object_agg(m.team_id, m.role) from memberships m where m.user_id = u.id),
                    '{}') as teams,
           coalesce((select jsonb_agg(jsonb_build_object('team_id', h.team_id, 'permissions', r.permissions))
                     from role_holders h join roles r on r.id = h.role_id where h.user_id = u.id), '[]') as given
    from users u where u.id = $1
"""


@dataclass(frozen=True, slots=True)
class GoesWithUser:
    """What a user's deletion takes along, or changes: identifiers, and digests of tokens."""

    tokens: list[str]
    installations: list[str]
    gateways: list[str]
    """Their personal ones, which go."""
    pinned: list[str]
    """Gateways that stay, and lose tools that are pinned to an installation of theirs."""


async def first_admin(connection: Connection) -> str | None:
    """The admin for whom the run's own token acts: the oldest who is not disabled."""
    found: str | None = await connection.fetchval(
        "select id from users where role = 'admin' and disabled_at is null order by id limit 1"
    )
    return found


async def caller(connection: Connection, user_id: str, token_id: str) -> Caller | None:
    """The user as a caller of the admin API; None for one who is gone or disabled."""
    return await _as_caller(connection, user_id, token_id, "and u.disabled_at is null")


async def standing(connection: Connection, user_id: str) -> Caller | None:
    """The user with all that they hold, disabled or not; None for one who is gone."""
    return await _as_caller(connection, user_id, "", "")


async def _as_caller(connection: Connection, user_id: str, token_id: str, condition: str) -> Caller | None:
    row = await connection.fetchrow(_CALLER + condition, user_id)
    if row is None:
        return None
    given = tuple(GivenSet(one["team_id"], one["permissions"]) for one in row["given"])
    return Caller(user_id, row["name"], row["role"], row["teams"], token_id, given=given)


async def one(connection: Connection, user_id: str, *, lock: bool = False) -> User | None:
    """The user with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), user_id)
    return None if row is None else made(User, row)


async def page(
    connection: Connection, *, limit: int, after: Place | None, email: str | None = None, role: str | None = None
) -> list[User]:
    """Users by name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or lower(email) = lower($4))
                and ($5::text is null or role = $5)
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), email, role,
    )  # fmt: skip
    return [made(User, row) for row in rows]


async def admin_for_long(connection: Connection, user_id: str, owner_id: str | None) -> bool:
    """Whether the user is an admin who is not disabled, and stays so until the transaction ends. The owner of what
    the admin makes is kept as they are too, so that `hold` of either waits. Admins first, as `other_admins` locks.
    """
    rows = await connection.fetch(
        """select id, role = 'admin' and disabled_at is null as admin from users where id = any($1::uuid[])
           order by role = 'admin' and disabled_at is null desc, id for share""",
        [user_id] if owner_id is None else [user_id, owner_id],
    )
    return any(row["id"] == user_id and row["admin"] for row in rows)


async def enabled_for_long(connection: Connection, user_id: str) -> bool:
    """Whether the user is there and not disabled, and stays so until the transaction ends."""
    row = await connection.fetchrow("select disabled_at from users where id = $1 for share", user_id)
    return row is not None and row["disabled_at"] is None


async def hold(connection: Connection, user_id: str) -> User | None:
    """The user; until the transaction ends nobody makes a token for them, or with a token of theirs."""
    row = await connection.fetchrow(_SELECT + "where id = $1 for no key update", user_id)
    return None if row is None else made(User, row)


async def other_admins(connection: Connection, user_id: str) -> int:
    """How many admins there are beside this user. Locks them, so that two cannot go at the same time."""
    rows = await connection.fetch(
        "select id from users where role = 'admin' and disabled_at is null order by id for update"
    )
    return sum(row["id"] != user_id for row in rows)


async def goes_with(connection: Connection, user_id: str) -> GoesWithUser:
    """What the user's deletion will take along."""
    pinned = await connection.fetch(
        """select distinct a.gateway_id as id from assignments a join installations i on i.id = a.installation_id
           where i.user_id = $1""",
        user_id,
    )
    tokens = await connection.fetch("select digest from tokens where user_id = $1", user_id)
    return GoesWithUser(
        [row["digest"] for row in tokens],
        [row["id"] for row in await connection.fetch("select id from installations where user_id = $1", user_id)],
        [row["id"] for row in await connection.fetch("select id from gateways where owner_id = $1", user_id)],
        [row["id"] for row in pinned],
    )
