"""`/teams`: groups of users, who share installations, gateways and tokens. Written by `control/changes/teams.py`."""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.resource import one_or_404, shown
from control.admin.team_models import NewTeam, TeamChange, TeamQuery, TeamView
from control.changes import teams as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry import team
from control.store import teams
from control.store.pool import transaction

operations = Operations("teams")


@operations.get("/teams")
async def list_teams(asked: Asked, query: TeamQuery) -> Page[TeamView]:
    """List teams by name: all to whoever holds `team:read` for the organisation, else one's own."""
    member = None if asked.caller.may("team:read") else asked.caller.user_id
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await teams.page(connection, limit=query.fetch, after=query.place, member=member, name=query.name)
    return page_of(rows, query, partial(shown, TeamView), lambda one: place_key(one.name, one.id))


@operations.post("/teams")
async def create_team(asked: Asked, body: NewTeam) -> TeamView:
    """Make a team."""
    async with asked.changing() as write:
        return shown(TeamView, await changes.create(write, team.NewTeam(**body.model_dump())))


@operations.get("/teams/{team_id}")
async def get_team(asked: Asked, team_id: Id) -> TeamView:
    """Show a team."""
    async with transaction(asked.pool, readonly=True) as connection:
        row = await teams.one(connection, team_id)
    return shown(TeamView, one_or_404(row, "team"))


@operations.patch("/teams/{team_id}")
async def change_team(asked: Asked, team_id: Id, body: TeamChange) -> TeamView:
    """Rename a team or change its description."""
    async with asked.changing() as write:
        return shown(TeamView, await changes.change(write, team_id, body.changes(), asked.version))


@operations.delete("/teams/{team_id}")
async def delete_team(asked: Asked, team_id: Id) -> None:
    """Delete a team with its tokens, memberships and installations. Its members stay users."""
    async with asked.changing() as write:
        await changes.delete(write, team_id, asked.version)
