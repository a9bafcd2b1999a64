"""SQL that writes assignments. Called by `control/changes/assignments.py`, which locks the gateway's row before."""

from control.store.writing import Writing
from core.identifiers import new_id


async def insert(
    writing: Writing, gateway_id: str, tool_id: str, exposed_name: str, installation_id: str | None
) -> str:
    """The new assignment's identifier; StoreConflict `assignments_gateway_id_exposed_name_key` for a taken name."""
    assignment_id = new_id()
    await writing.execute(
        """insert into assignments (id, gateway_id, tool_id, exposed_name, installation_id)
           values ($1, $2, $3, $4, $5)""",
        assignment_id, gateway_id, tool_id, exposed_name, installation_id,
    )  # fmt: skip
    return assignment_id


async def update(writing: Writing, assignment_id: str, exposed_name: str, installation_id: str | None) -> None:
    """Another name or another pin, and the next version; StoreConflict as `insert`."""
    await writing.execute(
        "update assignments set exposed_name = $2, installation_id = $3, version = version + 1 where id = $1",
        assignment_id, exposed_name, installation_id,
    )  # fmt: skip


async def delete(writing: Writing, assignment_id: str) -> None:
    """The tool is taken off the gateway."""
    await writing.execute("delete from assignments where id = $1", assignment_id)
