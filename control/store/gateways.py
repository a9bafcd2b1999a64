"""SQL of gateways: the named endpoints, who sees them, and what their usability is judged by.

Rows come with `teams`, the identifiers of the teams that see the gateway. The revision is raised by
`touch_gateways` (`control/store/outbox.py`) and by nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from control.store.pool import Connection, Row

_SELECT: Final = """
    select g.*, array(select t.team_id from gateway_teams t where t.gateway_id = g.id order by t.team_id) as teams
    from gateways g
"""
_VISIBLE: Final = """
    ($1 or g.visibility = 'organisation' or g.owner_id = $2::uuid
        or (g.visibility = 'teams'
            and exists (select 1 from gateway_teams t where t.gateway_id = g.id and t.team_id = any($3::uuid[]))))
"""
_COLUMNS: Final = (
    "slug", "name", "description", "instructions", "labels", "visibility", "owner_id", "header_allowlist",
    "audit_required",
)  # fmt: skip
"""What a person may set, in the order of both statements below."""


async def insert(connection: Connection, gateway_id: str, gateway: Mapping[str, Any]) -> None:
    """A new gateway; StoreConflict `gateways_slug_key` where the slug is taken. Touch it afterwards."""
    await connection.execute(
        """insert into gateways (id, slug, name, description, instructions, labels, visibility, owner_id,
               header_allowlist, audit_required)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        gateway_id,
        *(gateway[column] for column in _COLUMNS),
    )


async def update(connection: Connection, gateway_id: str, gateway: Mapping[str, Any]) -> None:
    """Write all that a person may set and raise the version. Touch it afterwards."""
    await connection.execute(
        """update gateways set slug = $2, name = $3, description = $4, instructions = $5, labels = $6,
               visibility = $7, owner_id = $8, header_allowlist = $9, audit_required = $10,
               version = version + 1, updated_at = now()
           where id = $1""",
        gateway_id,
        *(gateway[column] for column in _COLUMNS),
    )


async def set_teams(connection: Connection, gateway_id: str, teams: Collection[str]) -> None:
    """Exactly these teams see it from now on; StoreConflict `gateway_teams_team_id_fkey` for an unknown one."""
    await connection.execute("delete from gateway_teams where gateway_id = $1", gateway_id)
    await connection.execute(
        "insert into gateway_teams (gateway_id, team_id) select $1, unnest($2::uuid[])",
        gateway_id,
        sorted(set(teams)),
    )


async def delete(connection: Connection, gateway_id: str) -> None:
    """With its assignments; say `gateways_gone` first."""
    await connection.execute("delete from gateways where id = $1", gateway_id)


async def one(connection: Connection, gateway_id: str, *, lock: bool = False) -> Row | None:
    """The gateway with this identifier."""
    return await connection.fetchrow(_SELECT + "where g.id = $1" + (" for update of g" if lock else ""), gateway_id)


async def page(
    connection: Connection,
    *,
    limit: int,
    after: str | None,
    everything: bool,
    user_id: str | None,
    teams: Sequence[str],
    label: Mapping[str, str] | None = None,
) -> list[Row]:
    """Oldest first, above `after`. `everything`: all; else those that the user or one of `teams` sees."""
    rows: list[Row] = await connection.fetch(
        _SELECT
        + "where"
        + _VISIBLE
        + """and ($5::uuid is null or g.id > $5)
             and ($6::jsonb is null or g.labels @> $6)
           order by g.id limit $4""",
        everything, user_id, list(teams), limit, after, dict(label) if label else None,
    )  # fmt: skip
    return rows


async def audiences(connection: Connection, gateway_ids: Sequence[str]) -> dict[str, int]:
    """How many enabled people see each gateway."""
    rows = await connection.fetch(
        """select g.id, (
               select count(*) from users u where u.disabled_at is null and (
                   g.visibility = 'organisation' or u.id = g.owner_id
                   or exists (select 1 from gateway_teams t join memberships m on m.team_id = t.team_id
                              where t.gateway_id = g.id and m.user_id = u.id))) as people
           from gateways g where g.id = any($1::uuid[])""",
        list(gateway_ids),
    )
    return {row["id"]: row["people"] for row in rows}


async def assigned_tools(connection: Connection, gateway_ids: Sequence[str]) -> list[Row]:
    """What usability asks of each assignment: `gateway_id` and the columns of `AssignedTool`."""
    rows: list[Row] = await connection.fetch(
        """select a.gateway_id, a.exposed_name, t.state as tool_state, t.missing_since is not null as missing,
               i.name as installation, i.state as installation_state,
               (select count(*) from installations o where o.entry_id = t.entry_id and o.state = 'ready')::int
                   as installations_ready
           from assignments a
           join entry_tools t on t.id = a.tool_id
           left join installations i on i.id = a.installation_id
           where a.gateway_id = any($1::uuid[]) order by a.exposed_name""",
        list(gateway_ids),
    )
    return rows
