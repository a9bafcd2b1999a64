"""Tokens: those that one may see, each with its end; and a new one, whose secret is shown once.

A person who signed in makes tokens for their own calls; for others, for teams and for the API it takes an admin.
Which of the two it is, `control/changes/tokens.py` judges.
"""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from control.admin.token_models import NewToken, TokenQuery
from control.changes import tokens as changes
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.token import told_of_token
from control.store import teams, tokens, users
from control.store.pool import transaction

_MOST_NAMED = 200
_NEVER = "never"


async def show(visit: Visit) -> web.Response:
    """The list: one's own and those of teams that one manages; all to an admin."""
    query, caller = visit.query(TokenQuery), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await tokens.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=caller.may("token:read"),
            of_user=caller.user_id,
            of_teams=caller.teams_with("token:read"),
            **query.model_dump(exclude={"limit", "cursor"}),
        )
    page = page_of(rows, query, told_of_token, lambda one: place_key(one.name, one.id))
    return visit.page("tokens/list.html", tokens=page.items, next=page.next, query=query)


async def new(visit: Visit) -> web.Response:
    """The form of a new token."""
    return await _asked(visit, Form({"use": "gateways", "whose": "mine", "days": "90"}))


async def create(visit: Visit) -> web.Response:
    """Make it, and show its secret: now, and never again."""
    form = await visit.form()
    try:
        wanted = form.read(NewToken, **owner_of(form), expires_at=ends(form.value("days")))
        async with visit.changing() as write:
            made, secret = await changes.create(write, changes.WantedToken(**wanted.model_dump()))
    except REFUSALS as refusal:
        return await _asked(visit, form.refused(refusal))
    return visit.page("tokens/made.html", token=told_of_token(made), secret=secret)


async def revoke(visit: Visit) -> web.Response:
    """Revoke one: gateways refuse it within a second."""
    form = await visit.form()
    async with visit.changing() as write:
        await changes.revoke(write, visit.named("token_id"))
    return visit.go("/my/access" if form.value("back") == "my-access" else "/tokens", "token-revoked")


def owner_of(form: Form) -> dict[str, str]:
    """Whose it will be, as the API's models say it: `mine`, `organisation`, `user:ID` or `team:ID`."""
    kind, _, identifier = form.value("whose").partition(":")
    if kind in {"user", "team"}:
        return {"kind": kind, f"{kind}_id": identifier}
    return {"kind": "organisation" if kind == "organisation" else "user"}


def ends(days: str) -> datetime | None:
    """The moment so many days from now; None for never, which the rules allow to some."""
    if days == _NEVER or not days.isdecimal() or len(days) > 4:
        return None
    return datetime.now(UTC) + timedelta(days=int(days))


async def _asked(visit: Visit, form: Form) -> web.Response:
    caller = visit.caller
    others: list[tuple[str, str]] = []
    if caller.may("token:create"):
        async with transaction(visit.pool, readonly=True) as connection:
            people = await users.page(connection, limit=_MOST_NAMED, after=None)
            groups = await teams.page(connection, limit=_MOST_NAMED, after=None, member=None)
        others = [
            ("organisation", "The whole organisation"),
            *((f"team:{one.id}", f"Team {one.name}") for one in groups),
            *((f"user:{one.id}", one.name) for one in people if one.id != caller.user_id),
        ]
    return visit.again("tokens/new.html", form, owners=[("mine", "Mine"), *others], admin=bool(others))
