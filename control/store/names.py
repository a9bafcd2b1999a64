"""SQL that finds gateways, entries, people and teams by a part of their name, for the console's search.

What the caller may see is given, as elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from control.store.pool import Connection, Row


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has a name, with a second one by which it is told from others of that name."""

    id: str
    name: str
    other: str


async def gateways(
    connection: Connection, text: str, limit: int, *, everything: bool, user_id: str, teams: Sequence[str]
) -> list[Named]:
    """Gateways with such a name or slug that the person sees; `id` is the slug."""
    rows = await connection.fetch(
        """select slug as id, name, slug as other from gateways g
           where (strpos(lower(name), lower($1)) > 0 or strpos(slug, lower($1)) > 0)
             and ($3 or visibility = 'organisation' or owner_id = $4::uuid
                  or (visibility = 'teams' and exists (select 1 from gateway_teams t where t.gateway_id = g.id
                                                       and t.team_id = any($5::uuid[]))))
           order by lower(name), g.id limit $2""",
        text, limit, everything, user_id or None, list(teams),
    )  # fmt: skip
    return _made(rows)


async def entries(
    connection: Connection, text: str, limit: int, *, everything: bool, teams: Sequence[str]
) -> list[Named]:
    """Entries with such a name or slug that the person sees."""
    rows = await connection.fetch(
        """select id, name, slug as other from entries e
           where (strpos(lower(name), lower($1)) > 0 or strpos(slug, lower($1)) > 0)
             and ($3 or visibility = 'organisation'
                  or exists (select 1 from entry_teams t where t.entry_id = e.id and t.team_id = any($4::uuid[])))
           order by lower(name), id limit $2""",
        text, limit, everything, list(teams),
    )  # fmt: skip
    return _made(rows)


async def people(connection: Connection, text: str, limit: int) -> list[Named]:
    """People with such a name or address."""
    rows = await connection.fetch(
        """select id, name, email as other from users
           where strpos(lower(name), lower($1)) > 0 or strpos(lower(email), lower($1)) > 0
           order by lower(name), id limit $2""",
        text, limit,
    )  # fmt: skip
    return _made(rows)


async def teams(
    connection: Connection, text: str, limit: int, *, everything: bool, teams: Sequence[str]
) -> list[Named]:
    """Teams with such a name, of all or of these."""
    rows = await connection.fetch(
        """select id, name, description as other from teams
           where strpos(lower(name), lower($1)) > 0 and ($3 or id = any($4::uuid[]))
           order by lower(name), id limit $2""",
        text, limit, everything, list(teams),
    )  # fmt: skip
    return _made(rows)


def _made(rows: Sequence[Row]) -> list[Named]:
    return [Named(row["id"], row["name"], row["other"]) for row in rows]
