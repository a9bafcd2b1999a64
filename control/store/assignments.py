"""SQL that reads assignments: which tool a gateway shows, under which name, with whose installation.

Written in `writes/assignments.py`.
"""

from collections.abc import Sequence
from typing import Final

from control.registry.assignment import Assignment, OfferedTool
from control.registry.owner import Owner, owner_of
from control.store.pool import Connection
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of

_SELECT: Final = """
    select a.*, t.name as tool_name, t.kind as tool_kind, t.state as tool_state, t.missing_since,
        t.entry_id, e.slug as entry_slug, i.name as installation_name, i.scope as installation_scope
    from assignments a
    join entry_tools t on t.id = a.tool_id
    join entries e on e.id = t.entry_id
    left join installations i on i.id = a.installation_id
"""


async def one(
    connection: Connection, gateway_id: str, assignment_id: str, *, lock: bool = False
) -> Assignment | None:
    """The assignment, if it is one of this gateway; locked for a change."""
    row = await connection.fetchrow(
        _SELECT + "where a.gateway_id = $1 and a.id = $2" + (" for update of a" if lock else ""),
        gateway_id,
        assignment_id,
    )
    return None if row is None else made(Assignment, row)


async def page(connection: Connection, gateway_id: str, *, limit: int, after: Place | None) -> list[Assignment]:
    """A gateway's assignments by exposed name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"where a.gateway_id = $1 and {behind(3, 'a.exposed_name', 'a.id')} "
        + f"{in_order('a.exposed_name', 'a.id')} limit $2",
        gateway_id, limit, *place_of(after),
    )  # fmt: skip
    return [made(Assignment, row) for row in rows]


async def listed(connection: Connection, ids: Sequence[str]) -> list[Assignment]:
    """These assignments, in the order of their exposed names."""
    rows = await connection.fetch(_SELECT + "where a.id = any($1::uuid[]) order by a.exposed_name", list(ids))
    return [made(Assignment, row) for row in rows]


async def of_gateway(connection: Connection, gateway_id: str) -> list[Assignment]:
    """All of a gateway; the caller has locked the gateway's row."""
    return [made(Assignment, row) for row in await connection.fetch(_SELECT + "where a.gateway_id = $1", gateway_id)]


async def offered(connection: Connection, gateway_id: str, limit: int) -> list[OfferedTool]:
    """The tools that a gateway offers to whoever calls it, by the names that they have there."""
    rows = await connection.fetch(
        """select a.exposed_name as name, coalesce(t.definition ->> 'description', '') as description,
               coalesce(t.definition #> '{annotations,readOnlyHint}' = 'true'::jsonb, false) as only_reads,
               coalesce(t.definition -> 'inputSchema', '{}'::jsonb) as input_schema
           from assignments a join entry_tools t on t.id = a.tool_id
           where a.gateway_id = $1 and t.state = 'active' and t.missing_since is null
               and t.kind not in ('resources', 'prompts')
           order by a.exposed_name limit $2""",
        gateway_id, limit,
    )  # fmt: skip
    return [made(OfferedTool, row) for row in rows]


async def definition_bytes(connection: Connection, gateway_id: str) -> int:
    """How long the definitions of a gateway's tools are together, as text; a snapshot holds a little less."""
    size: int = await connection.fetchval(
        """select coalesce(sum(octet_length(t.definition::text)), 0)::bigint
           from assignments a join entry_tools t on t.id = a.tool_id where a.gateway_id = $1""",
        gateway_id,
    )
    return size


async def of_team_entries(connection: Connection, gateway_id: str) -> dict[str, str]:
    """Exposed names of tools whose entry belongs to a team, each with that team."""
    rows = await connection.fetch(
        """select a.exposed_name, e.team_id from assignments a
           join entry_tools t on t.id = a.tool_id join entries e on e.id = t.entry_id
           where a.gateway_id = $1 and e.team_id is not null order by a.exposed_name""",
        gateway_id,
    )
    return {row["exposed_name"]: row["team_id"] for row in rows}


async def pins_of_one(connection: Connection, gateway_id: str) -> dict[str, Owner]:
    """Exposed names that are pinned to what one person or one service account alone may use, each with that owner."""
    rows = await connection.fetch(
        """select a.exposed_name, i.user_id, i.oauth_client_id
           from assignments a join installations i on i.id = a.installation_id
           where a.gateway_id = $1 and i.scope in ('personal', 'service') order by a.exposed_name""",
        gateway_id,
    )
    return {row["exposed_name"]: owner_of(row["user_id"], None, row["oauth_client_id"]) for row in rows}
