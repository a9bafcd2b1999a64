"""`/teams`: groups of users, who share installations, gateways and tokens."""

from typing import Annotated

from pydantic import Field

from control.admin.api import Asked, Operations
from control.admin.trail import record
from control.http.models import Change, Description, Id, Model, Moment, Name
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import not_found
from control.store import teams
from control.store.pool import Connection, Row, transaction

operations = Operations("teams")


class Team(Model):
    """A team."""

    id: Id
    name: Name
    description: Description
    created_at: Moment
    updated_at: Moment
    version: int = Field(description="Rises with changes of members too.")


class NewTeam(Model):
    """A team to make."""

    name: Name
    description: Description = ""


class TeamChange(Change):
    """What is named changes."""

    name: Name = ""
    description: Description = ""


class TeamQuery(PageQuery):
    """Filters."""

    name: Annotated[str | None, Field(max_length=128)] = None


def shown(row: Row) -> Team:
    """The row as the API shows it."""
    return Team.model_construct(**{name: row[name] for name in Team.model_fields})


@operations.get("/teams")
async def list_teams(asked: Asked, query: TeamQuery) -> Page[Team]:
    """List teams, oldest first: all to an admin, else one's own."""
    member = None if asked.caller.is_admin else asked.caller.user_id
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await teams.page(connection, limit=query.fetch, after=query.after, member=member, name=query.name)
    return page_of(rows, query, shown, lambda row: row["id"])


@operations.post("/teams")
async def create_team(asked: Asked, body: NewTeam) -> Team:
    """Make a team."""
    async with transaction(asked.pool) as connection:
        team = shown(await teams.create(connection, body.name, body.description))
        await record(connection, asked, "create", "team", team.id, None, team)
    return team


@operations.get("/teams/{team_id}")
async def get_team(asked: Asked, team_id: Id) -> Team:
    """Show a team."""
    async with transaction(asked.pool, readonly=True) as connection:
        row = await teams.one(connection, team_id)
    if row is None:
        raise not_found("team")
    return shown(row)


@operations.patch("/teams/{team_id}")
async def change_team(asked: Asked, team_id: Id, body: TeamChange) -> Team:
    """Rename a team or describe it anew."""
    async with transaction(asked.pool) as connection:
        row = await locked(connection, asked, team_id)
        team = shown(await teams.update(connection, row, body.model_dump(exclude_unset=True)))
        await record(connection, asked, "update", "team", team_id, shown(row), team)
    return team


@operations.delete("/teams/{team_id}")
async def delete_team(asked: Asked, team_id: Id) -> None:
    """Delete a team with its tokens, memberships and installations. Its members stay users."""
    async with transaction(asked.pool) as connection:
        row = await locked(connection, asked, team_id)
        await teams.delete(connection, team_id)
        await record(connection, asked, "delete", "team", team_id, shown(row), None)


async def locked(connection: Connection, asked: Asked, team_id: str) -> Row:
    """The row, locked, in the version that the caller read."""
    row = await teams.one(connection, team_id, lock=True)
    if row is None:
        raise not_found("team")
    asked.refuse_stale(row["version"])
    return row
