"""Teams: those that one sees, and a new one."""

from aiohttp import web

from control.admin.team_models import NewTeam, TeamQuery
from control.changes import teams as changes
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry import team
from control.registry.team import told_of_team
from control.store import teams
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The list, by name: all to whoever holds `team:read` for the organisation, else one's own."""
    query = visit.query(TeamQuery)
    member = None if visit.caller.may("team:read") else visit.caller.user_id
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await teams.page(connection, limit=query.fetch, after=query.place, member=member, name=query.name)
    page = page_of(rows, query, told_of_team, lambda one: place_key(one.name, one.id))
    return visit.page("teams/list.html", teams=page.items, next=page.next, query=query)


async def new(visit: Visit) -> web.Response:
    """The form of a new team."""
    return visit.again("teams/new.html", Form())


async def create(visit: Visit) -> web.Response:
    """Make it, and go on to take people in."""
    form = await visit.form()
    try:
        wanted = form.read(NewTeam)
        async with visit.changing() as write:
            made = await changes.create(write, team.NewTeam(**wanted.model_dump()))
    except REFUSALS as refusal:
        return visit.again("teams/new.html", form.refused(refusal))
    return visit.go(f"/teams/{made.id}", "team-made")
