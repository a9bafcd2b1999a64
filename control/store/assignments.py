"""SQL of assignments: which tool a gateway shows, under which name, with whose installation.

Rows come with what a person needs to recognise them: the tool's, the entry's and the installation's names.
"""

from collections.abc import Sequence
from typing import Final

from control.store.pool import Connection, Row
from core.identifiers import new_id

_SELECT: Final = """
    select a.*, t.name as tool_name, t.kind as tool_kind, t.state as tool_state, t.missing_since,
        t.entry_id, e.slug as entry_slug, i.name as installation_name, i.scope as installation_scope
    from assignments a
    join entry_tools t on t.id = a.tool_id
    join entries e on e.id = t.entry_id
    left join installations i on i.id = a.installation_id
"""


async def insert(
    connection: Connection, gateway_id: str, tool_id: str, exposed_name: str, installation_id: str | None
) -> str:
    """The new assignment's identifier; StoreConflict `assignments_gateway_id_exposed_name_key` for a taken name."""
    assignment_id = new_id()
    await connection.execute(
        """insert into assignments (id, gateway_id, tool_id, exposed_name, installation_id)
           values ($1, $2, $3, $4, $5)""",
        assignment_id, gateway_id, tool_id, exposed_name, installation_id,
    )  # fmt: skip
    return assignment_id


async def update(connection: Connection, assignment_id: str, exposed_name: str, installation_id: str | None) -> None:
    """Another name or another pin."""
    await connection.execute(
        "update assignments set exposed_name = $2, installation_id = $3, version = version + 1 where id = $1",
        assignment_id, exposed_name, installation_id,
    )  # fmt: skip


async def delete(connection: Connection, assignment_id: str) -> None:
    """Take the tool off the gateway."""
    await connection.execute("delete from assignments where id = $1", assignment_id)


async def one(connection: Connection, gateway_id: str, assignment_id: str, *, lock: bool = False) -> Row | None:
    """The assignment, if it is one of this gateway."""
    return await connection.fetchrow(
        _SELECT + "where a.gateway_id = $1 and a.id = $2" + (" for update of a" if lock else ""),
        gateway_id,
        assignment_id,
    )


async def page(connection: Connection, gateway_id: str, *, limit: int, after: str | None) -> list[Row]:
    """A gateway's assignments, oldest first, above `after`."""
    rows: list[Row] = await connection.fetch(
        _SELECT + "where a.gateway_id = $1 and ($3::uuid is null or a.id > $3) order by a.id limit $2",
        gateway_id, limit, after,
    )  # fmt: skip
    return rows


async def listed(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """These assignments, in the order of their exposed names."""
    rows: list[Row] = await connection.fetch(
        _SELECT + "where a.id = any($1::uuid[]) order by a.exposed_name", list(ids)
    )
    return rows


async def of_gateway(connection: Connection, gateway_id: str) -> list[Row]:
    """`id, tool_id, exposed_name, installation_id` of all; the caller has locked the gateway's row."""
    rows: list[Row] = await connection.fetch(
        "select id, tool_id, exposed_name, installation_id from assignments where gateway_id = $1", gateway_id
    )
    return rows


async def personal_pins(connection: Connection, gateway_id: str) -> list[Row]:
    """Assignments that are pinned to somebody's personal installation, with `user_id` of that person."""
    rows: list[Row] = await connection.fetch(
        """select a.exposed_name, i.user_id from assignments a join installations i on i.id = a.installation_id
           where a.gateway_id = $1 and i.scope = 'personal' order by a.exposed_name""",
        gateway_id,
    )
    return rows
