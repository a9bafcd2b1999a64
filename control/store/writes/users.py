"""SQL that writes users. Called by `control/changes/users.py`, which locks the row before."""

from typing import Final

from control.registry.user import NewUser, User
from control.store.pool import Row
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.users import COLUMNS
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewUser)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("users", _SET) + _RETURNING
_UPDATE: Final = update_of("users", _SET) + _RETURNING


async def insert(writing: Writing, user: NewUser) -> User:
    """A new user; StoreConflict `users_email`."""
    return made(User, await writing.fetch_row(_INSERT, new_id(), *values_of(user, _SET)))


async def insert_first_admin(writing: Writing, name: str, email: str) -> str | None:
    """The identifier of a first user, an admin; None where there is a user already. Replicas may race."""
    row: Row | None = await writing.fetch_row(
        """insert into users (id, name, email, role) select $1, $2, $3, 'admin'
           where not exists (select from users) on conflict do nothing returning id""",
        new_id(), name, email,
    )  # fmt: skip
    return None if row is None else row["id"]


async def update(writing: Writing, user_id: str, user: NewUser) -> User:
    """The row with all that a person may set; StoreConflict `users_email`."""
    return made(User, await writing.fetch_row(_UPDATE, user_id, *values_of(user, _SET)))


async def set_disabled(writing: Writing, user_id: str, disabled: bool) -> User:
    """The row of a user who is shut out from now on, or let in again."""
    row = await writing.fetch_row(
        """update users set disabled_at = case when $2 then now() end, shut_out_by = null, updated_at = now(),
               version = version + 1
           where id = $1"""
        + _RETURNING,
        user_id, disabled,
    )  # fmt: skip
    return made(User, row)


async def keep_disabled(writing: Writing, user_id: str) -> None:
    """The user who was shut out because a provider no longer knew them stays so, whatever it says later."""
    await writing.execute("update users set shut_out_by = null where id = $1", user_id)


async def delete(writing: Writing, user_id: str) -> None:
    """The user goes, with all that `users.goes_with` names."""
    await writing.execute("delete from users where id = $1", user_id)
