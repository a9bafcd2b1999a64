"""One person: who they are, what they hold, and how they are changed, shut out and let in again."""

from aiohttp import web

from control.admin.role_models import Holding
from control.admin.user_models import UserChange
from control.changes import people as people_changes
from control.changes import roles as role_changes
from control.changes import tokens as token_changes
from control.changes import users as changes
from control.changes.refusals import NotThere
from control.changes.write import there
from control.console.forms import REFUSALS, Form
from control.console.pages.grants import MOST_SHOWN, rows_of
from control.console.role_choices import role_choices, roles_seen
from control.console.visit import Visit
from control.http.links import link_url, new_link_secret
from control.http.models import Id
from control.registry.owner import Person
from control.registry.token import told_of_token
from control.registry.user import User
from control.store import browser_sessions, oauth_grants, roles, teams, tokens, users
from control.store.pool import Connection, transaction
from core.tokens import digest

_MOST_TOKENS = 100
_MOST_ROLES = 200


class GivenRole(Holding):
    """A role of somebody, as the forms of their page name it."""

    role_id: Id


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit)


async def change(visit: Visit) -> web.Response:
    """Give them another name, address or role."""
    form = await visit.form()
    try:
        wanted = form.read(UserChange)
        async with visit.changing() as write:
            await changes.change(write, visit.named("user_id"), wanted.changes(), form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "saved")


async def disable(visit: Visit) -> web.Response:
    """Shut them out; nothing is deleted."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.disable(write, visit.named("user_id"))
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "person-disabled")


async def enable(visit: Visit) -> web.Response:
    """Let them in again."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.enable(write, visit.named("user_id"))
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "person-enabled")


async def revoke_tokens(visit: Visit) -> web.Response:
    """Revoke all of their tokens."""
    await visit.form()
    async with visit.changing() as write:
        await token_changes.revoke_all_of(write, visit.named("user_id"))
    return _back(visit, "tokens-revoked")


async def reset_link(visit: Visit) -> web.Response:
    """Make a link with which they choose another password, or their first one, and show it once."""
    form, user_id, secret = await visit.form(), visit.named("user_id"), new_link_secret()
    try:
        async with visit.changing() as write:
            link = await people_changes.make_link(write, user_id, "reset", digest(secret))
            person = there(await users.one(write.connection, user_id))
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    url = link_url(visit.deps.issuer_url, secret)
    return visit.page("people/link.html", person=person, link=url, until=link.expires_at, invited=False)


async def end_sessions(visit: Visit) -> web.Response:
    """End every browser session of theirs."""
    await visit.form()
    async with visit.changing() as write:
        await people_changes.end_sessions_of(write, visit.named("user_id"))
    return _back(visit, "their-sessions-ended")


async def delete(visit: Visit) -> web.Response:
    """Delete them, with what is theirs."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("user_id"))
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go("/people", "person-deleted")


async def give_role(visit: Visit) -> web.Response:
    """Give them a role that admins made, for everything or for a team of theirs."""
    form = await visit.form()
    try:
        wanted = form.read(GivenRole, team_id=form.value("team_id") or None)
        async with visit.changing() as write:
            await role_changes.give(write, wanted.role_id, visit.named("user_id"), wanted.team_id)
    except REFUSALS as refusal:
        return await _shown(visit, giving=form.refused(refusal))
    return _back(visit, "role-given")


async def take_role(visit: Visit) -> web.Response:
    """Take such a role from them, as they hold it for everything or for one team."""
    form = await visit.form()
    try:
        wanted = form.read(GivenRole, team_id=form.value("team_id") or None)
        async with visit.changing() as write:
            await role_changes.take(write, wanted.role_id, visit.named("user_id"), wanted.team_id)
    except REFUSALS as refusal:
        return await _shown(visit, giving=form.refused(refusal))
    return _back(visit, "role-taken")


async def _shown(visit: Visit, form: Form | None = None, giving: Form | None = None) -> web.Response:
    user_id = visit.named("user_id")
    async with transaction(visit.pool, readonly=True) as connection:
        person = await _visible(visit, connection, user_id)
        caller = visit.caller
        owned = await tokens.page(
            connection,
            limit=_MOST_TOKENS,
            after=None,
            everything=caller.may("token:read"),
            of_user=caller.user_id,
            of_teams=[],
            user_id=user_id,
        )
        mine = await teams.of_user(connection, user_id)
        made = await roles.page(connection, limit=_MOST_ROLES, after=None)
        values = {
            "person": person,
            "teams": mine,
            "held": roles_seen(caller, await roles.of_user(connection, user_id)),
            "choices": role_choices(caller, made, mine),
            "tokens": [told_of_token(one) for one in owned],
            "grants": rows_of(
                await oauth_grants.page(
                    connection,
                    limit=MOST_SHOWN,
                    after=None,
                    everything=caller.may("grant:read"),
                    of_user=caller.user_id,
                    user_id=user_id,
                )
            ),
            "sessions": await browser_sessions.of_user(connection, user_id) if caller.may("session:read") else [],
            "going": await users.goes_with(connection, user_id) if caller.may("user:delete") else None,
        }
    kept = {"name": person.name, "email": person.email, "role": person.role, "version": str(person.version)}
    shown = form if form is not None and form.given else _with(form, kept)
    giving = giving or Form()
    status = max(shown.status, giving.status)
    return visit.page("people/person.html", status=status, form=shown, giving=giving, **values)


def _with(form: Form | None, kept: dict[str, str]) -> Form:
    """The fields as they are kept; what was refused of something that has no field stands above them."""
    return Form(kept) if form is None else Form(kept, problem=form.problem, status=form.status)


async def _visible(visit: Visit, connection: Connection, user_id: str) -> User:
    if not visit.caller.may_for("user:read", Person(user_id)):
        raise NotThere("user")
    found = await users.one(connection, user_id)
    if found is None:
        raise NotThere("user")
    return found


def _back(visit: Visit, said: str) -> web.Response:
    return visit.go(f"/people/{visit.named('user_id')}", said)
