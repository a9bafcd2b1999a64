"""SQL that writes roles and their holders. Called by `control/changes/roles.py`, which locks the role before."""

from typing import Final

from control.registry.role import NewRole, Role
from control.store.roles import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewRole)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("roles", _SET) + _RETURNING
_UPDATE: Final = update_of("roles", _SET) + _RETURNING


async def insert(writing: Writing, role: NewRole) -> Role:
    """A new role; StoreConflict `roles_name`."""
    return made(Role, await writing.fetch_row(_INSERT, new_id(), *values_of(role, _SET)))


async def update(writing: Writing, role_id: str, role: NewRole) -> Role:
    """The row with all that a person may set; StoreConflict `roles_name`."""
    return made(Role, await writing.fetch_row(_UPDATE, role_id, *values_of(role, _SET)))


async def delete(writing: Writing, role_id: str) -> None:
    """The role goes, and nobody holds it any more."""
    await writing.execute("delete from roles where id = $1", role_id)


async def give(writing: Writing, role_id: str, user_id: str, team_id: str | None) -> None:
    """The user holds the role, and the role has its next version; StoreConflict `role_holders_membership`, or
    `role_holders_user_id_fkey`.
    """
    await writing.execute(
        "insert into role_holders (role_id, user_id, team_id) values ($1, $2, $3)", role_id, user_id, team_id
    )
    await _raise_version(writing, role_id)


async def take(writing: Writing, role_id: str, user_id: str, team_id: str | None) -> None:
    """The user holds the role no more, and the role has its next version."""
    await writing.execute(
        "delete from role_holders where role_id = $1 and user_id = $2 and team_id is not distinct from $3::uuid",
        role_id, user_id, team_id,
    )  # fmt: skip
    await _raise_version(writing, role_id)


async def _raise_version(writing: Writing, role_id: str) -> None:
    await writing.execute("update roles set version = version + 1, updated_at = now() where id = $1", role_id)
