"""People: who is in, and the way in for somebody else."""

from aiohttp import web

from control.admin.user_models import NewUser, UserQuery
from control.changes import people as people_changes
from control.changes import users as changes
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.links import link_url, new_link_secret
from control.http.paging import page_of, place_key
from control.registry import user
from control.registry.user import told_of_user
from control.store import users
from control.store.pool import transaction
from core.tokens import digest


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(UserQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await users.page(
            connection, limit=query.fetch, after=query.place, email=query.email, role=query.role
        )  # fmt: skip
    page = page_of(rows, query, told_of_user, lambda one: place_key(one.name, one.id))
    return visit.page(
        "people/list.html", people=page.items, next=page.next, query=query, sees_each=visit.caller.may("user:read")
    )


async def invite(visit: Visit) -> web.Response:
    """The form that lets somebody in."""
    return visit.again("people/invite.html", Form({"role": "member"}))


async def create(visit: Visit) -> web.Response:
    """Let them in, and show the link that they sign in with: now, and never again."""
    form = await visit.form()
    try:
        wanted = form.read(NewUser)
        secret = new_link_secret()
        async with visit.changing() as write:
            made = await changes.create(write, user.NewUser(**wanted.model_dump()))
            link = await people_changes.make_link(write, made.id, "invitation", digest(secret))
    except REFUSALS as refusal:
        return visit.again("people/invite.html", form.refused(refusal))
    url = link_url(visit.deps.issuer_url, secret)
    return visit.page("people/link.html", person=made, link=url, until=link.expires_at, invited=True)
