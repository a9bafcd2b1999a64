"""One team: its members with their roles there, and what it is called."""

from collections.abc import Collection

from aiohttp import web

from control.admin.team_models import Membership, TeamChange
from control.changes import teams as changes
from control.changes.refusals import NotThere
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.models import Id, Model
from control.http.paging import NamedPageQuery, page_of, place_key
from control.registry.owner import TeamOwner
from control.registry.team import told_of_member
from control.store import teams, users
from control.store.pool import Connection, transaction

_MOST_NAMED = 200


class NewMember(Membership):
    """Somebody who is taken into a team, as the form of the page names them."""

    user_id: Id


class Members(Model):
    """The person whom a form of the list of members is about."""

    user_id: Id


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit)


async def change(visit: Visit) -> web.Response:
    """Rename it, or describe it otherwise."""
    form = await visit.form()
    try:
        wanted = form.read(TeamChange)
        async with visit.changing() as write:
            await changes.change(write, visit.named("team_id"), wanted.changes(), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "saved")


async def set_member(visit: Visit) -> web.Response:
    """Take somebody in, or change their role."""
    form = await visit.form()
    try:
        wanted = form.read(NewMember)
        async with visit.changing() as write:
            await changes.set_member(write, visit.named("team_id"), wanted.user_id, wanted.role)
    except REFUSALS as refusal:
        return await _shown(visit, adding=form.refused(refusal))
    return _back(visit, "member-set")


async def remove_member(visit: Visit) -> web.Response:
    """Take somebody out."""
    form = await visit.form()
    try:
        gone = form.read(Members)
        async with visit.changing() as write:
            await changes.remove_member(write, visit.named("team_id"), gone.user_id)
    except REFUSALS as refusal:
        return await _shown(visit, adding=form.refused(refusal))
    return _back(visit, "member-removed")


async def delete(visit: Visit) -> web.Response:
    """Delete it with what is its own; its members stay."""
    await visit.form()
    async with visit.changing() as write:
        await changes.delete(write, visit.named("team_id"))
    return visit.go("/teams", "team-deleted")


async def _shown(visit: Visit, form: Form | None = None, adding: Form | None = None) -> web.Response:
    team_id, query = visit.named("team_id"), visit.query(NamedPageQuery)
    owner = TeamOwner(team_id)
    async with transaction(visit.pool, readonly=True) as connection:
        found = await teams.one(connection, team_id)
        if found is None:
            raise NotThere("team")
        sees = visit.caller.may_for("member:read", owner)
        rows = await teams.members(connection, team_id, limit=query.fetch, after=query.place) if sees else []
        manages = sees and visit.caller.may_for("member:update", owner)
        chooses = manages and visit.caller.may_for_some("user:list")
        others = await _others(connection, [one.user_id for one in rows]) if chooses else []
        deletes = visit.caller.may_for("team:delete", owner)
        going = await teams.goes_with(connection, team_id) if deletes else None
    page = page_of(rows, query, told_of_member, lambda one: place_key(one.name, one.user_id))
    kept = Form({"name": found.name, "description": found.description, "version": str(found.version)})
    shown = form or kept
    return visit.page(
        "teams/team.html",
        status=max(shown.status, (adding or shown).status),
        team=found,
        members=page.items,
        next=page.next,
        form=shown,
        adding=adding or Form({"role": "member"}),
        others=others,
        sees=sees,
        manages=manages,
        changes=visit.caller.may_for("team:update", owner),
        going=going,
    )


async def _others(connection: Connection, present: Collection[str]) -> list[tuple[str, str]]:
    """Those who are not in it yet, to choose among."""
    people = await users.page(connection, limit=_MOST_NAMED, after=None)
    return [(one.id, f"{one.name} · {one.email}") for one in people if one.id not in present]


def _back(visit: Visit, said: str) -> web.Response:
    return visit.go(f"/teams/{visit.named('team_id')}", said)
