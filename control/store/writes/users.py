"""SQL that writes users. Called by `control/changes/users.py`, which locks the row before."""

from collections.abc import Mapping
from typing import Any, Final

from control.store.pool import Row
from control.store.statements import insert_into, listed, update_of
from control.store.users import SETTABLE, SHOWN
from control.store.writing import Writing
from core.identifiers import new_id

_RETURNING: Final = f" returning {listed(SHOWN)}"
_INSERT: Final = insert_into("users", SETTABLE) + _RETURNING
_UPDATE: Final = update_of("users", SETTABLE) + _RETURNING


async def insert(writing: Writing, user: Mapping[str, Any]) -> Row:
    """A new user; StoreConflict `users_email`."""
    return await writing.fetch_row(_INSERT, new_id(), *(user[column] for column in SETTABLE))


async def insert_first_admin(writing: Writing, name: str, email: str) -> Row | None:
    """A first user, an admin; None where there is a user already. Replicas may race."""
    return await writing.fetch_row(
        """insert into users (id, name, email, role) select $1, $2, $3, 'admin'
           where not exists (select from users) on conflict do nothing returning id""",
        new_id(), name, email,
    )  # fmt: skip


async def update(writing: Writing, user_id: str, user: Mapping[str, Any]) -> Row:
    """The row with all that a person may set; StoreConflict `users_email`."""
    return await writing.fetch_row(_UPDATE, user_id, *(user[column] for column in SETTABLE))


async def set_disabled(writing: Writing, user_id: str, disabled: bool) -> Row:
    """The row of a user who is shut out from now on, or let in again."""
    return await writing.fetch_row(
        """update users set disabled_at = case when $2 then now() end, updated_at = now(), version = version + 1
           where id = $1"""
        + _RETURNING,
        user_id, disabled,
    )  # fmt: skip


async def delete(writing: Writing, user_id: str) -> None:
    """The user goes, with all that `users.goes_with` names."""
    await writing.execute("delete from users where id = $1", user_id)
