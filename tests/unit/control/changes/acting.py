"""What the tests of changes share: an admin who makes them, and what a change left behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from control.changes import teams, tokens, users
from control.changes.write import Write, changing
from control.registry.access import Caller, Role
from control.registry.team import NewTeam, Team
from control.registry.token import Kind, Token
from control.registry.user import NewUser, User
from control.store.pool import Pool, Row, transaction
from core.identifiers import new_id

ADMIN = Caller(user_id="", name="Ann", role="admin", address="127.0.0.1", request_id="r-1")
NOBODY = new_id()
"""An identifier that nothing has."""


async def changed(pool: Pool, *acts: Callable[[Write], Awaitable[Any]]) -> None:
    """All of these in one transaction."""
    async with changing(pool, ADMIN) as write:
        for act in acts:
            await act(write)


async def new_user(write: Write, name: str, role: Role = "member") -> User:
    return await users.create(write, NewUser(name=name, email=f"{name}@example.com", role=role))


async def new_team(write: Write, name: str, *members: str) -> Team:
    team = await teams.create(write, NewTeam(name=name, description=""))
    for member in members:
        await teams.set_member(write, team.id, member, "member")
    return team


async def new_token(write: Write, *, user: str | None = None, team: str | None = None) -> Token:
    kind: Kind = "user" if user else "team" if team else "organisation"
    made, _secret = await tokens.create(write, tokens.WantedToken(name="ci", kind=kind, user_id=user, team_id=team))
    return made


async def forget(pool: Pool) -> None:
    """As if nothing had been recorded or announced so far."""
    async with transaction(pool) as connection:
        await connection.execute("delete from audit")
        await connection.execute("delete from outbox")


async def audit_of(pool: Pool) -> list[Row]:
    async with transaction(pool, readonly=True) as connection:
        return list(await connection.fetch("select * from audit order by id"))


async def outbox_of(pool: Pool) -> list[tuple[str, str, int]]:
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch("select kind, name, revision from outbox order by id")
    return [(row["kind"], row["name"], row["revision"]) for row in rows]
