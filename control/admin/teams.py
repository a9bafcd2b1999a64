"""`/teams`: groups of users, who share installations, gateways and tokens. Written by `control/changes/teams.py`."""

from typing import Annotated

from pydantic import Field

from control.admin.api import Asked, Operations
from control.changes import teams as changes
from control.http.models import Change, Description, Id, Model, Moment, Name
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import not_found
from control.store import teams
from control.store.pool import Row, transaction

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
    async with asked.changing() as write:
        return shown(await changes.create(write, body.model_dump()))


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
    async with asked.changing() as write:
        return shown(await changes.change(write, team_id, body.changes(), asked.version))


@operations.delete("/teams/{team_id}")
async def delete_team(asked: Asked, team_id: Id) -> None:
    """Delete a team with its tokens, memberships and installations. Its members stay users."""
    async with asked.changing() as write:
        await changes.delete(write, team_id, asked.version)
