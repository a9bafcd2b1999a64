"""`/roles`: sets of permissions, and who holds them; `/permissions`: what can be in one.

Written by `control/changes/roles.py`. A role's ETag rises with its holders, as a team's does with its members.
"""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.resource import one_or_404, shown
from control.admin.role_models import (
    Holders,
    HolderView,
    Holding,
    HoldingQuery,
    NewRole,
    Permissions,
    PermissionView,
    RoleChange,
    RoleQuery,
    RoleView,
)
from control.changes import roles as changes
from control.http.models import Id
from control.http.paging import Page, PageQuery, bad_cursor, open_cursor, page_of, place_key
from control.registry import role
from control.registry.actions import ACTIONS
from control.registry.role import Holder
from control.store import roles
from control.store.pool import transaction
from core.identifiers import is_id

operations = Operations("roles")


@operations.get("/permissions")
async def list_permissions(asked: Asked) -> Permissions:
    """List every permission, what it lets somebody do, and who holds it."""
    mine = asked.caller.permissions
    return Permissions(
        items=[shown(PermissionView, held, name=name, held=name in mine) for name, held in ACTIONS.items()]
    )


@operations.get("/roles")
async def list_roles(asked: Asked, query: RoleQuery) -> Page[RoleView]:
    """List the roles that were made here, by name; admin, editor and member are always there and not in it."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await roles.page(connection, limit=query.fetch, after=query.place, name=query.name)
    return page_of(rows, query, _view, lambda one: place_key(one.name, one.id))


@operations.post("/roles")
async def create_role(asked: Asked, body: NewRole) -> RoleView:
    """Make a role: a set of permissions, none of which one lacks oneself."""
    async with asked.changing() as write:
        made = await changes.create(write, role.NewRole(**body.model_dump()))
    return _view(made)


@operations.get("/roles/{role_id}")
async def get_role(asked: Asked, role_id: Id) -> RoleView:
    """Show a role."""
    async with transaction(asked.pool, readonly=True) as connection:
        row = await roles.one(connection, role_id)
    return _view(one_or_404(row, "role"))


@operations.patch("/roles/{role_id}")
async def change_role(asked: Asked, role_id: Id, body: RoleChange) -> RoleView:
    """Rename a role, describe it, or change what it holds; nobody adds what they lack themselves."""
    async with asked.changing() as write:
        return _view(await changes.change(write, role_id, body.changes(), asked.version))


@operations.delete("/roles/{role_id}")
async def delete_role(asked: Asked, role_id: Id) -> None:
    """Delete a role; whoever held it loses what it gave them."""
    async with asked.changing() as write:
        await changes.delete(write, role_id, asked.version)


@operations.get("/roles/{role_id}/holders")
async def list_holders(asked: Asked, role_id: Id, query: PageQuery) -> Holders:
    """List who holds a role, and for which team; to whoever gives roles for a team alone, those of that team."""
    caller, after = asked.caller, _holder_key(query.cursor)
    teams = None if caller.may("role:grant") else caller.teams_with("role:grant")
    async with transaction(asked.pool, readonly=True) as connection:
        held = one_or_404(await roles.one(connection, role_id), "role")
        rows = await roles.holders(connection, role_id, limit=query.fetch, after=after, teams=teams)
    page = page_of(rows, query, partial(shown, HolderView), _key_of)
    return Holders(items=page.items, next=page.next, version=held.version)


@operations.put("/roles/{role_id}/holders/{user_id}")
async def give_role(asked: Asked, role_id: Id, user_id: Id, body: Holding) -> HolderView:
    """Give somebody a role, for a team that they are in or for the organisation.

    Nobody gives what they do not hold.
    """
    async with asked.changing() as write:
        return shown(HolderView, await changes.give(write, role_id, user_id, body.team_id, asked.version))


@operations.delete("/roles/{role_id}/holders/{user_id}")
async def take_role(asked: Asked, role_id: Id, user_id: Id, query: HoldingQuery) -> None:
    """Take a role from somebody, as they hold it for one team or for the organisation."""
    async with asked.changing() as write:
        await changes.take(write, role_id, user_id, query.team_id, asked.version)


def _view(found: role.Role) -> RoleView:
    return shown(RoleView, role.told_of_role(found))


def _key_of(one: Holder) -> str:
    return "\n".join((one.team or "", one.name, one.user_id))


def _holder_key(cursor: str) -> tuple[str, str, str] | None:
    if not cursor:
        return None
    key = open_cursor(cursor)
    parts = key.split("\n")
    if len(parts) != 3 or not is_id(parts[2]) or "\0" in key:
        raise bad_cursor()
    return parts[0], parts[1], parts[2]
