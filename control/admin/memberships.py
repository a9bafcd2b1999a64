"""`/teams/{team_id}/members`: who is in a team, and as what. The list's ETag is the team's version."""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.resource import one_or_404, shown
from control.admin.team_models import Member, Members, Membership
from control.changes import teams as changes
from control.http.models import Id
from control.http.paging import NamedPageQuery, page_of, place_key
from control.store import teams
from control.store.pool import transaction

operations = Operations("members")


@operations.get("/teams/{team_id}/members")
async def list_members(asked: Asked, team_id: Id, query: NamedPageQuery) -> Members:
    """List the members of a team, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        team = await teams.one(connection, team_id)
        rows = await teams.members(connection, team_id, limit=query.fetch, after=query.place)
    page = page_of(rows, query, partial(shown, Member), lambda one: place_key(one.name, one.user_id))
    return Members(items=page.items, next=page.next, version=one_or_404(team, "team").version)


@operations.put("/teams/{team_id}/members/{user_id}")
async def set_member(asked: Asked, team_id: Id, user_id: Id, body: Membership) -> Member:
    """Add a user to a team, or change their role there."""
    async with asked.changing() as write:
        return shown(Member, await changes.set_member(write, team_id, user_id, body.role, asked.version))


@operations.delete("/teams/{team_id}/members/{user_id}")
async def remove_member(asked: Asked, team_id: Id, user_id: Id) -> None:
    """Remove a user from a team; they lose the access that the team gave."""
    async with asked.changing() as write:
        await changes.remove_member(write, team_id, user_id, asked.version)
