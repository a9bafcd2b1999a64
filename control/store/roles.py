"""SQL that reads roles that admins made, and who holds them. Written in `writes/roles.py`.

A role's version rises with its holders too. What a caller holds by them is read in `users.py`.
"""

from collections.abc import Sequence
from typing import Final

from control.registry.role import Holder, Role
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(Role)
_SELECT: Final = f"select {listed(COLUMNS)} from roles "
_HOLDER_PLACE: Final = """lower(coalesce(t.name, '')) collate "C", lower(u.name) collate "C", h.user_id"""
_SELECT_HOLDER: Final = """
    select h.role_id, r.name as role, h.user_id, u.name, u.email, h.team_id, t.name as team, h.created_at
    from role_holders h join roles r on r.id = h.role_id join users u on u.id = h.user_id
    left join teams t on t.id = h.team_id
"""


async def one(connection: Connection, role_id: str, *, lock: bool = False) -> Role | None:
    """The role with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), role_id)
    return None if row is None else made(Role, row)


async def page(connection: Connection, *, limit: int, after: Place | None, name: str | None = None) -> list[Role]:
    """Roles by name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or lower(name) = lower($4))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), name,
    )  # fmt: skip
    return [made(Role, row) for row in rows]


async def holders(
    connection: Connection,
    role_id: str,
    *,
    limit: int,
    after: tuple[str, str, str] | None,
    teams: Sequence[str] | None,
) -> list[Holder]:
    """Who holds the role: the whole organisation's first, then by team, each by name. `teams`: only for these; None:
    for whichever, and for the organisation. `after`: team's name, person's name and identifier to go on after.
    """
    rows = await connection.fetch(
        _SELECT_HOLDER
        + f"""where h.role_id = $2 and ($3::uuid[] is null or h.team_id = any($3))
                and ($4::text is null or ({_HOLDER_PLACE})
                     > (lower($4::text) collate "C", lower($5::text) collate "C", $6::uuid))
              order by {_HOLDER_PLACE} limit $1""",
        limit, role_id, teams, *(after or (None, None, None)),
    )  # fmt: skip
    return [made(Holder, row) for row in rows]


async def holder(connection: Connection, role_id: str, user_id: str, team_id: str | None) -> Holder | None:
    """One holder, as in `holders`."""
    row = await connection.fetchrow(
        _SELECT_HOLDER + "where h.role_id = $1 and h.user_id = $2 and h.team_id is not distinct from $3::uuid",
        role_id, user_id, team_id,
    )  # fmt: skip
    return None if row is None else made(Holder, row)


async def of_user(connection: Connection, user_id: str) -> list[Holder]:
    """What a person holds of the roles that admins made: for the organisation first, then by team."""
    rows = await connection.fetch(
        _SELECT_HOLDER
        + """where h.user_id = $1
             order by lower(coalesce(t.name, '')) collate "C", lower(r.name) collate "C", h.role_id""",
        user_id,
    )
    return [made(Holder, row) for row in rows]


async def is_held_for_a_team(connection: Connection, role_id: str) -> bool:
    """Whether somebody holds the role for a team."""
    return bool(
        await connection.fetchval(
            "select exists (select from role_holders where role_id = $1 and team_id is not null)", role_id
        )
    )
