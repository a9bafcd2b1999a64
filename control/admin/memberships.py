"""`/teams/{team_id}/members`: who is in a team, and as what. The list's ETag is the team's version."""

from typing import Literal

from control.admin.api import Asked, Operations
from control.changes import teams as changes
from control.http.models import Email, Id, Model, Moment, Name
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import not_found
from control.store import teams
from control.store.pool import Row, transaction

operations = Operations("members")


class Member(Model):
    """A user in a team."""

    team_id: Id
    user_id: Id
    name: Name
    email: Email
    role: Literal["admin", "member"]
    created_at: Moment


class Members(Page[Member]):
    """A page of a team's members, with the team's version."""

    version: int


class Membership(Model):
    """What a user is in the team; its admins manage members, tokens and installations."""

    role: Literal["admin", "member"] = "member"


def shown(row: Row) -> Member:
    """The row as the API shows it."""
    return Member.model_construct(**{name: row[name] for name in Member.model_fields})


@operations.get("/teams/{team_id}/members")
async def list_members(asked: Asked, team_id: Id, query: PageQuery) -> Members:
    """List the members of a team."""
    async with transaction(asked.pool, readonly=True) as connection:
        team = await teams.one(connection, team_id)
        rows = await teams.members(connection, team_id, limit=query.fetch, after=query.after)
    if team is None:
        raise not_found("team")
    page = page_of(rows, query, shown, lambda row: row["user_id"])
    return Members(items=page.items, next=page.next, version=team["version"])


@operations.put("/teams/{team_id}/members/{user_id}")
async def set_member(asked: Asked, team_id: Id, user_id: Id, body: Membership) -> Member:
    """Let a user into a team, or change their role there."""
    async with asked.changing() as write:
        return shown(await changes.set_member(write, team_id, user_id, body.role, asked.version))


@operations.delete("/teams/{team_id}/members/{user_id}")
async def remove_member(asked: Asked, team_id: Id, user_id: Id) -> None:
    """Take a user out of a team: what the team may do, they may no longer."""
    async with asked.changing() as write:
        await changes.remove_member(write, team_id, user_id, asked.version)
