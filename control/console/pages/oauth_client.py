"""One OAuth client: what it is, what people allowed it, which gateways name it, and how it is shut out or deleted."""

from typing import Any

from aiohttp import web

from control.admin.oauth_client_models import OAuthClientChange
from control.changes import oauth_clients as changes
from control.changes import oauth_grants as grant_changes
from control.changes.refusals import NotThere
from control.console.client_form import form_of_client, made_of
from control.console.forms import REFUSALS, Form
from control.console.pages.grants import MOST_SHOWN, rows_of
from control.console.pages.oauth_clients import teams_to_choose
from control.console.seen_gateways import seen_by
from control.console.shown_installations import ShownInstallation
from control.console.visit import Visit
from control.registry.access import Caller
from control.registry.credential import kind_of
from control.registry.installing import may_see
from control.registry.oauth_client import OAuthClient
from control.registry.owner import ServiceAccount
from control.registry.user import User
from control.store import entries, gateways, installations, oauth_clients, oauth_grants, teams, users
from control.store.pool import Connection, transaction
from control.store.standings import standings


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit)


async def change(visit: Visit) -> web.Response:
    """Change one that an admin registered."""
    form = await visit.form()
    try:
        wanted = form.read(OAuthClientChange, **made_of(form)).changes()
        wanted["redirect_uris"] = tuple(wanted["redirect_uris"])
        async with visit.changing() as write:
            await changes.change(write, visit.named("client_id"), wanted, form.version)
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return _back(visit, "saved")


async def renew_secret(visit: Visit) -> web.Response:
    """Give it another secret, and show that: now, and never again."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            client, secret = await changes.renew_secret(write, visit.named("client_id"))
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.page("oauth_clients/made.html", client=client, secret=secret, renewed=True)


async def disable(visit: Visit) -> web.Response:
    """Shut it out; nothing is deleted."""
    await visit.form()
    async with visit.changing() as write:
        await changes.set_disabled(write, visit.named("client_id"), disabled=True)
    return _back(visit, "client-disabled")


async def enable(visit: Visit) -> web.Response:
    """Let it in again."""
    await visit.form()
    async with visit.changing() as write:
        await changes.set_disabled(write, visit.named("client_id"), disabled=False)
    return _back(visit, "client-enabled")


async def withdraw_all(visit: Visit) -> web.Response:
    """Take back all that it was allowed."""
    await visit.form()
    async with visit.changing() as write:
        await grant_changes.revoke_all_of(write, client_pk=visit.named("client_id"))
    return _back(visit, "grants-withdrawn")


async def delete(visit: Visit) -> web.Response:
    """Delete it with what it was allowed."""
    await visit.form()
    async with visit.changing() as write:
        await changes.delete(write, visit.named("client_id"))
    return visit.go("/oauth-clients", "client-deleted")


async def _shown(visit: Visit, form: Form | None = None) -> web.Response:
    client_pk, caller = visit.named("client_id"), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        client = await oauth_clients.one(connection, client_pk)
        if client is None:
            raise NotThere("OAuth client")
        team = await teams.one(connection, client.team_id) if client.team_id else None
        naming = seen_by(caller, await gateways.naming_client(connection, client.client_id))
        values = {
            "client": client,
            "team": team,
            "maker": await _maker(connection, caller, client.created_by),
            "people": (await oauth_grants.people_by_client(connection, [client_pk]))[client_pk],
            "naming": naming,
            "alone": [one.name for one in naming.seen if len(one.allowed_clients) == 1],
            "grants": await _grants(connection, caller, client_pk),
            "teams": await teams_to_choose(connection),
            "installed": await _installed(connection, caller, client),
        }
    kept = form_of_client(client)
    if form is not None and not form.given:
        form = Form(kept.given, problem=form.problem, status=form.status)
    return visit.again("oauth_clients/client.html", form or kept, **values)


async def _grants(connection: Connection, caller: Caller, client_pk: str) -> list[dict[str, Any]]:
    """What it was allowed; to whoever may see only their own, nothing: they have a page for that."""
    if not caller.may("grant:read"):
        return []
    return rows_of(
        await oauth_grants.page(
            connection, limit=MOST_SHOWN, after=None, everything=True, of_user="", client_id=client_pk
        )
    )


async def _installed(connection: Connection, caller: Caller, client: OAuthClient) -> list[ShownInstallation]:
    """What one that acts by itself calls with, as far as the person sees that."""
    if client.acts != "by_itself" or not may_see(caller, ServiceAccount(client.id)):
        return []
    found = await installations.many(connection, (await oauth_clients.goes_with(connection, client.id)).installations)
    stand, of = await standings(connection, found), await entries.many(connection, {one.entry_id for one in found})
    shown = [ShownInstallation(one, kind_of(of[one.entry_id].credential), stand[one.id]) for one in found]
    return sorted(shown, key=lambda one: (one.installation.name.lower(), one.installation.id))


async def _maker(connection: Connection, caller: Caller, user_id: str | None) -> User | None:
    return await users.one(connection, user_id) if user_id and caller.may("user:list") else None


def _back(visit: Visit, said: str) -> web.Response:
    return visit.go(f"/oauth-clients/{visit.named('client_id')}", said)
