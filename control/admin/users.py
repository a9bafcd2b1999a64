"""`/users`: people. The last admin who is not disabled cannot be disabled, demoted or deleted."""

from typing import Annotated, Literal

from pydantic import Field

from control.admin.api import Asked, Operations
from control.admin.trail import record
from control.http.models import Change, Email, Id, Model, Moment, Name
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import conflict, forbidden, not_found
from control.store import users
from control.store.pool import Connection, Row, transaction

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
    async with transaction(asked.pool) as connection:
        user = shown(await users.create(connection, body.name, body.email, body.role))
        await record(connection, asked, "create", "user", user.id, None, user)
    return user


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
    changes = body.model_dump(exclude_unset=True)
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, user_id, keeps_admin=changes.get("role", "admin") == "admin")
        asked.refuse_stale(row["version"])
        user = shown(await users.update(connection, row, changes))
        await record(connection, asked, "update", "user", user_id, shown(row), user)
    return user


@operations.delete("/users/{user_id}")
async def delete_user(asked: Asked, user_id: Id) -> None:
    """Delete a user with their tokens, memberships, personal installations and personal gateways."""
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, user_id, keeps_admin=False)
        asked.refuse_stale(row["version"])
        await users.delete(connection, user_id)
        await record(connection, asked, "delete", "user", user_id, shown(row), None)


@operations.post("/users/{user_id}/disable", status=200)
async def disable_user(asked: Asked, user_id: Id) -> User:
    """Shut a user out: none of their tokens is taken any more. Nothing else is lost."""
    return await _set_disabled(asked, user_id, disabled=True)


@operations.post("/users/{user_id}/enable", status=200)
async def enable_user(asked: Asked, user_id: Id) -> User:
    """Let a disabled user in again."""
    return await _set_disabled(asked, user_id, disabled=False)


async def _set_disabled(asked: Asked, user_id: str, *, disabled: bool) -> User:
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, user_id, keeps_admin=not disabled)
        if (row["disabled_at"] is not None) == disabled:
            return shown(row)
        user = shown(await users.set_disabled(connection, user_id, disabled))
        await record(connection, asked, "disable" if disabled else "enable", "user", user_id, shown(row), user)
    return user


async def _locked(connection: Connection, user_id: str, *, keeps_admin: bool) -> Row:
    """The row, locked; refused where the last admin would go. All admins are locked before, always in one order."""
    others = 1 if keeps_admin else await users.other_admins(connection, user_id)
    row = await users.one(connection, user_id, lock=True)
    if row is None:
        raise not_found("user")
    if not others and row["role"] == "admin" and row["disabled_at"] is None:
        raise conflict("This is the last admin: make another user an admin first.")
    return row
