"""`/me`: who the caller is, as the API knows them."""

from typing import Literal

from control.admin.api import Asked, Operations
from control.admin.users import User, shown
from control.http.models import Id, Model, Name
from control.http.problems import not_found
from control.store import teams, users
from control.store.pool import transaction

operations = Operations("me")


class TeamOfMine(Model):
    """A team of the caller, with the role there."""

    id: Id
    name: Name
    role: Literal["admin", "member"]


class Me(Model):
    """The caller."""

    user: User
    teams: list[TeamOfMine]
    token_id: str | None
    """The token they came with; null for the run's own."""


@operations.get("/me")
async def get_me(asked: Asked) -> Me:
    """Show who is signed in."""
    async with transaction(asked.pool, readonly=True) as connection:
        row = await users.one(connection, asked.caller.user_id)
        mine = await teams.of_user(connection, asked.caller.user_id)
    if row is None:
        raise not_found("user")
    return Me.model_construct(
        user=shown(row),
        teams=[TeamOfMine.model_construct(id=team["id"], name=team["name"], role=team["role"]) for team in mine],
        token_id=asked.caller.token_id or None,
    )
