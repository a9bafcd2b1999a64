"""SQL that reads installations: an entry, filled in by a person, a team or the organisation.

Written in `writes/installations.py`. Secret values leave this file sealed only.
"""

from collections.abc import Sequence
from typing import Final

from control.registry.installation import Installation
from control.registry.owner import Scope, owner_of
from control.store.pool import Connection, Row
from control.store.rows import made

_SELECT: Final = """
    select i.*, e.slug as entry_slug, e.name as entry_name from installations i join entries e on e.id = i.entry_id
"""
_VISIBLE: Final = """
    ($1 or i.scope = 'organisation' or i.user_id = $2::uuid or i.team_id = any($3::uuid[]))
"""


async def one(connection: Connection, installation_id: str, *, lock: bool = False) -> Installation | None:
    """The installation with this identifier."""
    row = await connection.fetchrow(
        _SELECT + "where i.id = $1" + (" for update of i" if lock else ""), installation_id
    )
    return None if row is None else _made(row)


async def of_organisation(connection: Connection, entry_id: str, name: str) -> str | None:
    """The identifier of the organisation's installation of this entry with this name, in whatever case."""
    found: str | None = await connection.fetchval(
        "select id from installations where entry_id = $1 and scope = 'organisation' and lower(name) = lower($2)",
        entry_id, name,
    )  # fmt: skip
    return found


async def lock_of_entry(connection: Connection, entry_id: str) -> list[Installation]:
    """All installations of an entry, in the order of identifiers, locked."""
    rows = await connection.fetch(_SELECT + "where i.entry_id = $1 order by i.id for update of i", entry_id)
    return [_made(row) for row in rows]


async def candidates(
    connection: Connection, entry_id: str, user_id: str | None, teams: Sequence[str]
) -> list[Installation]:
    """Installations of an entry that may serve a caller: the user's, those of these teams, and the organisation's."""
    rows = await connection.fetch(
        _SELECT
        + """where i.entry_id = $1
             and (i.scope = 'personal' and i.user_id = $2 or i.scope = 'team' and i.team_id = any($3::uuid[])
                  or i.scope = 'organisation')
           order by i.id""",
        entry_id, user_id, list(teams),
    )  # fmt: skip
    return [_made(row) for row in rows]


async def page(
    connection: Connection,
    *,
    limit: int,
    after: str | None,
    everything: bool,
    user_id: str | None,
    teams: Sequence[str],
    entry_id: str | None = None,
    scope: Scope | None = None,
) -> list[Installation]:
    """Installations above `after`, oldest first. `everything`: all; else the organisation's, the user's and those of
    `teams`.
    """
    rows = await connection.fetch(
        _SELECT
        + "where"
        + _VISIBLE
        + """and ($5::uuid is null or i.id > $5)
             and ($6::uuid is null or i.entry_id = $6)
             and ($7::text is null or i.scope = $7)
           order by i.id limit $4""",
        everything, user_id, list(teams), limit, after, entry_id, scope,
    )  # fmt: skip
    return [_made(row) for row in rows]


async def gateways_of(connection: Connection, installation_id: str) -> list[str]:
    """Gateways with a tool that is pinned to it."""
    rows = await connection.fetch(
        "select distinct gateway_id from assignments where installation_id = $1", installation_id
    )
    return [row["gateway_id"] for row in rows]


async def dependents(connection: Connection, installation_id: str, limit: int = 20) -> list[str]:
    """What would go with it, in words."""
    rows = await connection.fetch(
        """select g.slug, count(*) as tools from assignments a join gateways g on g.id = a.gateway_id
           where a.installation_id = $1 group by g.slug order by g.slug limit $2""",
        installation_id, limit,
    )  # fmt: skip
    return [f"{row['tools']} tools on the gateway {row['slug']!r}" for row in rows]


def _made(row: Row) -> Installation:
    return made(Installation, row, owner=owner_of(row["user_id"], row["team_id"]))
