"""One identity provider: what it is used for, how it is doing, whom it knows; how it is changed and ended.

What its claims give and which hosts are approved is changed in `provider_rules.py` and `provider_hosts.py`.
"""

from typing import Any

from aiohttp import web

from control.admin.identity_provider_models import ProviderPatch
from control.changes import identities as identity_changes
from control.changes import identity_providers as changes
from control.changes.refusals import NotThere
from control.console.asking_providers import asked_now
from control.console.exchange_form import SECRET, field_of_exchange
from control.console.forms import REFUSALS, Form
from control.console.pages.identity_providers import callback_of
from control.console.provider_form import form_of_provider, made_of
from control.console.seen_gateways import seen_by
from control.console.shown_providers import shown_provider
from control.console.visit import Visit
from control.registry.identity_provider import IdentityProvider
from control.registry.partial import provider_with
from control.store import (
    external_principals,
    gateways,
    identities,
    identity_providers,
    oauth_clients,
    provider_use,
    teams,
)
from control.store.pool import Connection, transaction

_MOST_PEOPLE = 100
_MOST_TEAMS = 200
_MOST_ACCOUNTS = 200


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await shown(visit)


async def change_form(visit: Visit) -> web.Response:
    """The form that changes it."""
    async with transaction(visit.pool, readonly=True) as connection:
        provider = await found(connection, visit.named("provider_id"))
    return _changing(visit, provider, form_of_provider(provider, provider.version))


async def change(visit: Visit) -> web.Response:
    """Change it, and ask it again. An empty secret is none that was typed: the one that is kept stays."""
    form, provider_id = await visit.form(), visit.named("provider_id")
    try:
        given = form.read(ProviderPatch, leave_out={"client_secret", SECRET}, **made_of(form)).changes()
        changed = await changed_to(visit, given, form.version)
    except REFUSALS as refusal:
        async with transaction(visit.pool, readonly=True) as connection:
            provider = await found(connection, provider_id)
        return _changing(visit, provider, form.refused(refusal, field_of_exchange))
    await asked_now(visit, changed)
    return back(visit, "saved")


async def ask(visit: Visit) -> web.Response:
    """Ask it now for its metadata and keys."""
    await visit.form()
    async with transaction(visit.pool, readonly=True) as connection:
        provider = await found(connection, visit.named("provider_id"))
    await asked_now(visit, provider)
    return back(visit, "provider-asked")


async def switch_on(visit: Visit) -> web.Response:
    """Let people sign in with it again, and its tokens open gateways."""
    return await _switched(visit, on=True)


async def switch_off(visit: Visit) -> web.Response:
    """Nobody signs in with it any more, and its tokens open nothing; nothing is deleted."""
    return await _switched(visit, on=False)


async def unlink(visit: Visit) -> web.Response:
    """Unlink a person from their account there."""
    await visit.form()
    async with visit.changing() as write:
        identity = await identities.one(write.connection, visit.named("identity_id"))
        if identity is None or identity.provider_id != visit.named("provider_id"):
            raise NotThere("identity")
        await identity_changes.unlink(write, identity.id)
    return back(visit, "person-unlinked")


async def delete(visit: Visit) -> web.Response:
    """Delete it, with what its claims gave people."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(write, visit.named("provider_id"))
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    return visit.go("/identity-providers", "provider-deleted")


async def changed_to(visit: Visit, given: dict[str, Any], version: int | None = None) -> IdentityProvider:
    """The provider of the page after a change of these fields, in the words of the admin API."""
    secret, exchange_secret = given.pop("client_secret", None), given.pop(SECRET, None)
    async with visit.changing() as write:
        return await changes.change(
            write,
            visit.named("provider_id"),
            lambda before: provider_with(before, given),
            secret,
            visit.deps.safeguards,
            version,
            exchange_secret,
        )


async def found(connection: Connection, provider_id: str) -> IdentityProvider:
    """The provider; raises NotThere."""
    provider = await identity_providers.one(connection, provider_id)
    if provider is None:
        raise NotThere("identity provider")
    return provider


def back(visit: Visit, said: str) -> web.Response:
    """On to the provider's page, which says what was done."""
    return visit.go(f"/identity-providers/{visit.named('provider_id')}", said)


async def shown(visit: Visit, form: Form | None = None) -> web.Response:
    """The page; `form`: one of its forms that was refused."""
    provider_id, caller = visit.named("provider_id"), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        provider = await found(connection, provider_id)
        state = await identity_providers.state(connection, provider_id)
        taking = seen_by(caller, await gateways.of_providers(connection, [provider_id]))
        groups = await teams.page(connection, limit=_MOST_TEAMS, after=None, member=None)
        knows = caller.may("identity_provider:update")
        known = await identities.page(connection, provider_id, limit=_MOST_PEOPLE, after=None) if knows else []
        deletes = caller.may("identity_provider:delete")
        going = await identities.goes_with(connection, provider_id) if deletes else None
        without = (
            await external_principals.page(connection, limit=_MOST_PEOPLE, provider_id=provider_id) if knows else []
        )
        use = await provider_use.of_provider(connection, provider)
        accounts = await oauth_clients.acting_by_themselves(connection, _MOST_ACCOUNTS) if knows else []
    return visit.again(
        "identity_providers/provider.html",
        form or Form({"gives": "", "role": "member"}),
        shown=shown_provider(provider, state, visit.deps.single_sign_on.redirect_uri(provider.slug), use),
        provider=provider,
        taking=taking,
        teams={one.id: one.name for one in groups},
        known=known,
        going=going,
        without=without,
        accounts={one.id: one.name for one in accounts},
    )


async def _switched(visit: Visit, *, on: bool) -> web.Response:
    form = await visit.form()
    try:
        provider = await changed_to(visit, {"enabled": on})
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    await asked_now(visit, provider)
    return back(visit, "provider-on" if on else "provider-off")


def _changing(visit: Visit, provider: IdentityProvider, form: Form) -> web.Response:
    callback = callback_of(visit, form.value("slug"))
    return visit.again("identity_providers/change.html", form, provider=provider, callback=callback)
