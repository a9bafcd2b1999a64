"""`/gateways/{gateway_id}/assignments`: which tools a gateway shows, under which names, with whose installation.

Written by `control/changes/assignments.py`.
"""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.gateway_models import (
    Assigned,
    AssignmentCreate,
    AssignmentPatch,
    AssignmentView,
    ChangedAssignment,
)
from control.admin.resource import one_or_404, shown
from control.changes import assignments as changes
from control.changes.visible import visible_gateway
from control.http.models import Id
from control.http.paging import NamedPageQuery, Page, page_of, place_key
from control.registry.lending import lending_warnings
from control.store import assignments, gateways, lending
from control.store.pool import Connection, transaction

operations = Operations("assignments")


@operations.get("/gateways/{gateway_id}/assignments")
async def list_assignments(asked: Asked, gateway_id: Id, query: NamedPageQuery) -> Page[AssignmentView]:
    """List the tools of a gateway, by the names that clients see."""
    async with transaction(asked.pool, readonly=True) as connection:
        visible_gateway(await gateways.one(connection, gateway_id), asked.caller, "assignment:read")
        found = await assignments.page(connection, gateway_id, limit=query.fetch, after=query.place)
    return page_of(found, query, partial(shown, AssignmentView), lambda one: place_key(one.exposed_name, one.id))


@operations.post("/gateways/{gateway_id}/assignments")
async def create_assignments(asked: Asked, gateway_id: Id, body: AssignmentCreate) -> Assigned:
    """Assign tools of one entry, by name or all of them with `["*"]`."""
    async with asked.changing() as write:
        made = await changes.create(write, gateway_id, changes.WantedTools(**body.model_dump()))
        warnings = await _warnings(write.connection, gateway_id, {one.id for one in made.assignments})
    return Assigned.model_construct(
        items=[shown(AssignmentView, one) for one in made.assignments], created=len(made.created), warnings=warnings
    )


@operations.get("/gateways/{gateway_id}/assignments/{assignment_id}")
async def read_assignment(asked: Asked, gateway_id: Id, assignment_id: Id) -> AssignmentView:
    """Show an assignment."""
    async with transaction(asked.pool, readonly=True) as connection:
        visible_gateway(await gateways.one(connection, gateway_id), asked.caller, "assignment:read")
        found = await assignments.one(connection, gateway_id, assignment_id)
    return shown(AssignmentView, one_or_404(found, "assignment"))


@operations.patch("/gateways/{gateway_id}/assignments/{assignment_id}")
async def change_assignment(
    asked: Asked, gateway_id: Id, assignment_id: Id, body: AssignmentPatch
) -> ChangedAssignment:
    """Give the tool another exposed name, or another installation."""
    async with asked.changing() as write:
        changed = await changes.change(write, gateway_id, assignment_id, body.changes(), asked.version)
        warnings = await _warnings(write.connection, gateway_id, {assignment_id})
    return shown(ChangedAssignment, changed, warnings=warnings)


@operations.delete("/gateways/{gateway_id}/assignments/{assignment_id}")
async def delete_assignment(asked: Asked, gateway_id: Id, assignment_id: Id) -> None:
    """Remove a tool from a gateway."""
    async with asked.changing() as write:
        await changes.delete(write, gateway_id, assignment_id, asked.version)


async def _warnings(connection: Connection, gateway_id: str, ids: set[str]) -> list[str]:
    """What lends the credential of a team to others, of these assignments."""
    lent = await lending.lent_on(connection, [gateway_id])
    return lending_warnings(one for one in lent if one.assignment_id in ids)
