"""`/users`: people. Written by `control/changes/users.py`."""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.resource import one_or_404, shown
from control.admin.user_models import NewUser, RevokedTokens, User, UserChange, UserQuery
from control.changes import tokens as token_changes
from control.changes import users as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.http.problems import not_found
from control.registry import user
from control.registry.owner import Person
from control.store import users
from control.store.pool import transaction

operations = Operations("users")


@operations.get("/users")
async def list_users(asked: Asked, query: UserQuery) -> Page[User]:
    """List users by name.

    Admins of a team see them too: they choose members among them.
    """
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await users.page(
            connection, limit=query.fetch, after=query.place, email=query.email, role=query.role
        )  # fmt: skip
    return page_of(rows, query, partial(shown, User), lambda one: place_key(one.name, one.id))


@operations.post("/users")
async def create_user(asked: Asked, body: NewUser) -> User:
    """Make a user: let a person in."""
    async with asked.changing() as write:
        return shown(User, await changes.create(write, user.NewUser(**body.model_dump())))


@operations.get("/users/{user_id}")
async def get_user(asked: Asked, user_id: Id) -> User:
    """Show a user; oneself, or anyone to an admin."""
    if not asked.caller.may_for("user:read", Person(user_id)):
        raise not_found("user")
    async with transaction(asked.pool, readonly=True) as connection:
        row = await users.one(connection, user_id)
    return shown(User, one_or_404(row, "user"))


@operations.patch("/users/{user_id}")
async def change_user(asked: Asked, user_id: Id, body: UserChange) -> User:
    """Change a user's name, address or role."""
    async with asked.changing() as write:
        return shown(User, await changes.change(write, user_id, body.changes(), asked.version))


@operations.delete("/users/{user_id}")
async def delete_user(asked: Asked, user_id: Id) -> None:
    """Delete a user with their tokens, memberships, personal installations and personal gateways."""
    async with asked.changing() as write:
        await changes.delete(write, user_id, asked.version)


@operations.post("/users/{user_id}/disable", status=200)
async def disable_user(asked: Asked, user_id: Id) -> User:
    """Shut a user out: none of their tokens is accepted any more, their browser sessions end. Nothing else goes."""
    async with asked.changing() as write:
        return shown(User, await changes.disable(write, user_id))


@operations.post("/users/{user_id}/enable", status=200)
async def enable_user(asked: Asked, user_id: Id) -> User:
    """Let a disabled user in again."""
    async with asked.changing() as write:
        return shown(User, await changes.enable(write, user_id))


@operations.post("/users/{user_id}/revoke-tokens", status=200)
async def revoke_tokens(asked: Asked, user_id: Id) -> RevokedTokens:
    """Revoke all tokens of a user at once, also the one that asks if it is theirs: for a device that was lost.

    Proxies refuse them within a second. Users may revoke all of their own.
    """
    async with asked.changing() as write:
        return RevokedTokens(revoked=await token_changes.revoke_all_of(write, user_id))
