"""Pull secrets: what images of servers that Archway runs are fetched with; another one, and the end of one."""

from typing import Any

from aiohttp import web

from control.admin.pull_secret_models import NewPullSecret, PullSecretQuery
from control.changes import pull_secrets as changes
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.owner import TeamOwner
from control.registry.pull_secret import WantedPullSecret
from control.store import pull_secrets, teams
from control.store.pool import Connection, transaction

_MOST_TEAMS = 200
_OF_THE_OTHER_KIND = {"registry": ("secret_name",), "cluster": ("registry", "username", "password")}
"""By kind, what stands in the tab that is not chosen, and is left alone."""


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    return await _shown(visit, Form())


async def new(visit: Visit) -> web.Response:
    """The form of another one."""
    blank = dict.fromkeys(("name", "registry", "username", "password", "secret_name"), "")
    owners = await _owners(visit)
    return visit.again(
        "pull_secrets/new.html",
        Form({**blank, "kind": "registry", "team_id": owners[0][0] if owners else ""}),
        owners=owners,
    )


async def create(visit: Visit) -> web.Response:
    """Keep it."""
    form = await visit.form()
    kind = "cluster" if form.value("kind") == "cluster" else "registry"
    left: dict[str, Any] = dict.fromkeys(_OF_THE_OTHER_KIND[kind], "")
    if "password" in left:
        left["password"] = None
    try:
        wanted = form.read(NewPullSecret, kind=kind, team_id=form.value("team_id") or None, **left)
        async with visit.changing() as write:
            await changes.create(write, visit.deps.safeguards, WantedPullSecret(**wanted.model_dump()))
    except REFUSALS as refusal:
        return visit.again("pull_secrets/new.html", form.refused(refusal), owners=await _owners(visit))
    return visit.go("/pull-secrets", "pull-secret-made")


async def delete(visit: Visit) -> web.Response:
    """Delete one that no entry names."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("pull_secret_id"), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go("/pull-secrets", "pull-secret-deleted")


async def choices(connection: Connection, visit: Visit) -> list[tuple[str, str]]:
    """Those that an entry may name, as pairs of identifier and label."""
    found = await pull_secrets.page(
        connection,
        limit=_MOST_TEAMS,
        after=None,
        everything=visit.caller.may("pull_secret:read"),
        teams=visit.caller.teams_with("pull_secret:read"),
    )
    return [(one.id, f"{one.name} ({one.registry or one.secret_name})") for one in found]


async def _shown(visit: Visit, form: Form) -> web.Response:
    query, caller = visit.query(PullSecretQuery), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await pull_secrets.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=caller.may("pull_secret:read"),
            teams=caller.teams_with("pull_secret:read"),
            name=query.name,
        )
        found = [await teams.one(connection, one) for one in {row.team_id for row in rows if row.team_id}]
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.name, one.id))
    shown = [one["row"] for one in page.items]
    return visit.again(
        "pull_secrets/list.html",
        form,
        pulls=shown,
        teams={one.id: one.name for one in found if one is not None},
        deletes={one.id: caller.may_for("pull_secret:delete", one.owner) for one in shown},
        next=page.next,
        query=query,
    )


async def _owners(visit: Visit) -> list[tuple[str, str]]:
    """Whose one may be, that this person makes."""
    caller = visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        found = await teams.page(
            connection, limit=_MOST_TEAMS, after=None, member=None if caller.may("team:read") else caller.user_id
        )
    owners = [("", "The organisation")] if caller.may("pull_secret:create") else []
    return owners + [
        (one.id, f"The team {one.name}") for one in found if caller.may_for("pull_secret:create", TeamOwner(one.id))
    ]
