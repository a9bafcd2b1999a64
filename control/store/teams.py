"""SQL that reads teams and their members, and what goes with a team that goes. Written in `writes/teams.py`.

A team's version rises with its members too: the list of members is part of what a writer has read.
"""

from dataclasses import dataclass
from typing import Final

from control.registry.team import Member, Team, TeamOfUser
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(Team)
_SELECT: Final = f"select {listed(COLUMNS)} from teams "
_SELECT_MEMBER: Final = """
    select m.team_id, m.user_id, u.name, u.email, m.role, m.created_at
    from memberships m join users u on u.id = m.user_id
"""


@dataclass(frozen=True, slots=True)
class GoesWithTeam:
    """What a team's deletion takes along, or changes: identifiers, and digests of tokens."""

    tokens: list[str]
    installations: list[str]
    members: list[str]
    """Users, who stay and are in one team less."""
    gateways: list[str]
    """Gateways, which stay: the team saw them, or they show tools that are pinned to an installation of the team."""


async def one(connection: Connection, team_id: str, *, lock: bool = False) -> Team | None:
    """The team with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), team_id)
    return None if row is None else made(Team, row)


async def page(
    connection: Connection, *, limit: int, after: Place | None, member: str | None, name: str | None = None
) -> list[Team]:
    """Teams by name, behind `after`; those of `member` alone when given."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($5::text is null or lower(name) = lower($5))
                and ($4::uuid is null or id in (select team_id from memberships where user_id = $4))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), member, name,
    )  # fmt: skip
    return [made(Team, row) for row in rows]


async def of_user(connection: Connection, user_id: str) -> list[TeamOfUser]:
    """Teams of a user, with the role there."""
    rows = await connection.fetch(
        """select t.id, t.name, m.role from memberships m join teams t on t.id = m.team_id
           where m.user_id = $1 order by lower(t.name)""",
        user_id,
    )
    return [made(TeamOfUser, row) for row in rows]


async def names_of(connection: Connection, team_ids: list[str]) -> dict[str, str]:
    """The names of these teams by their identifiers; of those that there are."""
    rows = await connection.fetch("select id, name from teams where id = any($1::uuid[])", team_ids)
    return {row["id"]: row["name"] for row in rows}


async def members(connection: Connection, team_id: str, *, limit: int, after: Place | None) -> list[Member]:
    """Members by name, behind `after`, with their email."""
    rows = await connection.fetch(
        _SELECT_MEMBER
        + f"""where m.team_id = $2 and {behind(3, "u.name", "m.user_id")}
              {in_order("u.name", "m.user_id")} limit $1""",
        limit, team_id, *place_of(after),
    )  # fmt: skip
    return [made(Member, row) for row in rows]


async def member(connection: Connection, team_id: str, user_id: str) -> Member | None:
    """One member, as in `members`."""
    row = await connection.fetchrow(_SELECT_MEMBER + "where m.team_id = $1 and m.user_id = $2", team_id, user_id)
    return None if row is None else made(Member, row)


async def goes_with(connection: Connection, team_id: str) -> GoesWithTeam:
    """What the team's deletion will take along."""
    gateways = await connection.fetch(
        """select gateway_id as id from gateway_teams where team_id = $1
           union select a.gateway_id from assignments a join installations i on i.id = a.installation_id
           where i.team_id = $1""",
        team_id,
    )
    tokens = await connection.fetch("select digest from tokens where team_id = $1", team_id)
    present = await connection.fetch("select user_id from memberships where team_id = $1", team_id)
    return GoesWithTeam(
        [row["digest"] for row in tokens],
        [row["id"] for row in await connection.fetch("select id from installations where team_id = $1", team_id)],
        [row["user_id"] for row in present],
        [row["id"] for row in gateways],
    )
