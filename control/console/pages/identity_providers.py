"""Identity providers: whose word is taken for who somebody is, how each is doing, and another one."""

from collections import Counter

import msgspec
from aiohttp import web

from control.admin.identity_provider_models import ProviderCreate, ProviderQuery
from control.changes import identity_providers as changes
from control.console.asking_providers import asked_now
from control.console.exchange_form import SECRET, field_of_exchange
from control.console.forms import REFUSALS, Form
from control.console.provider_form import made_of, new_provider_form
from control.console.shown_providers import shown_provider
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.identity_provider import ProviderFields
from control.registry.slugs import check_slug
from control.store import gateways, identity_providers
from control.store.pool import transaction

_USUAL_SLUG = "sso"


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(ProviderQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await identity_providers.page(connection, limit=query.fetch, after=query.place, slug=query.slug)
        ids = [one.id for one in rows]
        states = await identity_providers.states(connection, ids)
        taking = Counter(one.identity_provider_id for one in await gateways.of_providers(connection, ids))
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.name, one.id))
    redirect_uri = visit.deps.single_sign_on.redirect_uri
    shown = [shown_provider(one["row"], states[one["row"].id], redirect_uri(one["row"].slug)) for one in page.items]
    return visit.page("identity_providers/list.html", providers=shown, taking=taking, next=page.next, query=query)


async def new(visit: Visit) -> web.Response:
    """The form of another one, with the address that is to be registered there: of the slug in `?slug=`."""
    return _asked(visit, new_provider_form(visit.request.query.get("slug", _USUAL_SLUG)[:63]))


async def create(visit: Visit) -> web.Response:
    """Add it and ask it at once; what it says is on its page."""
    form = await visit.form()
    try:
        given = form.read(ProviderCreate, **made_of(form)).model_dump()
        secret, exchange_secret = given.pop("client_secret"), given.pop(SECRET)
        wanted = msgspec.convert(given, ProviderFields)
        async with visit.changing() as write:
            made = await changes.create(write, wanted, secret, visit.deps.safeguards, exchange_secret)
    except REFUSALS as refusal:
        return _asked(visit, form.refused(refusal, field_of_exchange))
    await asked_now(visit, made)
    return visit.go(f"/identity-providers/{made.id}", "provider-made")


def _asked(visit: Visit, form: Form) -> web.Response:
    return visit.again("identity_providers/new.html", form, callback=callback_of(visit, form.value("slug")))


def callback_of(visit: Visit, slug: str) -> str:
    """Where a provider of this slug sends people back to; '' for what can be no slug."""
    try:
        check_slug(slug)
    except REFUSALS:
        return ""
    return visit.deps.single_sign_on.redirect_uri(slug)
