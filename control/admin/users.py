"""`/users`: people. Written by `control/changes/users.py`."""

from typing import Annotated, Literal

from pydantic import Field

from control.admin.api import Asked, Operations
from control.changes import users as changes
from control.http.models import Change, Email, Id, Model, Moment, Name
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import forbidden, not_found
from control.store import users
from control.store.pool import Row, transaction

operations = Operations("users")
Role = Literal["admin", "member"]


class User(Model):
    """A person."""

    id: Id
    name: Name
    email: Email
    role: Role
    disabled_at: Moment | None
    created_at: Moment
    updated_at: Moment
    version: int


class NewUser(Model):
    """A person to let in. They sign in with a token that somebody makes for them."""

    name: Name
    email: Email
    role: Role = "member"


class UserChange(Change):
    """What is named changes."""

    name: Name = ""
    email: Email = ""
    role: Role = "member"


class UserQuery(PageQuery):
    """Filters."""

    email: Annotated[str | None, Field(max_length=254)] = None
    role: Role | None = None


def shown(row: Row) -> User:
    """The row as the API shows it."""
    return User.model_construct(**{name: row[name] for name in User.model_fields})


@operations.get("/users")
async def list_users(asked: Asked, query: UserQuery) -> Page[User]:
    """List users, oldest first.

    Admins of a team see them too: they choose members among them.
    """
    if not asked.caller.is_admin and "admin" not in asked.caller.teams.values():
        raise forbidden("This needs an admin, or an admin of a team.")
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await users.page(
            connection, limit=query.fetch, after=query.after, email=query.email, role=query.role
        )  # fmt: skip
    return page_of(rows, query, shown, lambda row: row["id"])


@operations.post("/users")
async def create_user(asked: Asked, body: NewUser) -> User:
    """Let a person in."""
    async with asked.changing() as write:
        return shown(await changes.create(write, body.model_dump()))


@operations.get("/users/{user_id}")
async def get_user(asked: Asked, user_id: Id) -> User:
    """Show a user; oneself, or anyone to an admin."""
    if not asked.caller.owns(user_id):
        raise not_found("user")
    async with transaction(asked.pool, readonly=True) as connection:
        row = await users.one(connection, user_id)
    if row is None:
        raise not_found("user")
    return shown(row)


@operations.patch("/users/{user_id}")
async def change_user(asked: Asked, user_id: Id, body: UserChange) -> User:
    """Change a user's name, address or role."""
    async with asked.changing() as write:
        return shown(await changes.change(write, user_id, body.changes(), asked.version))


@operations.delete("/users/{user_id}")
async def delete_user(asked: Asked, user_id: Id) -> None:
    """Delete a user with their tokens, memberships, personal installations and personal gateways."""
    async with asked.changing() as write:
        await changes.delete(write, user_id, asked.version)


@operations.post("/users/{user_id}/disable", status=200)
async def disable_user(asked: Asked, user_id: Id) -> User:
    """Shut a user out: none of their tokens is taken any more. Nothing else is lost."""
    async with asked.changing() as write:
        return shown(await changes.disable(write, user_id))


@operations.post("/users/{user_id}/enable", status=200)
async def enable_user(asked: Asked, user_id: Id) -> User:
    """Let a disabled user in again."""
    async with asked.changing() as write:
        return shown(await changes.enable(write, user_id))
