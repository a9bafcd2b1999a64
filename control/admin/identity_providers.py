"""`/identity-providers`: where people sign in and whose tokens gateways take; what was seen of each, and of whom.

Written by `control/changes/identity_providers.py`. `test` asks the provider at once, for an admin who waits.
"""

import time
from contextlib import suppress
from functools import partial

import msgspec

from control.admin.api import Asked, Operations
from control.admin.identity_provider_models import (
    ExchangeModel,
    PersonAtProvider,
    ProviderCreate,
    ProviderPatch,
    ProviderQuery,
    ProviderSeen,
    ProviderView,
    RoleRuleModel,
    ServiceRuleModel,
    TeamRuleModel,
)
from control.admin.resource import one_or_404, shown
from control.changes import identities as identity_changes
from control.changes import identity_providers as changes
from control.http.models import Id
from control.http.paging import Page, PageQuery, page_of, place_key
from control.http.problems import not_found
from control.identity.discovery import NotApproved
from control.providers.asking import ProviderAway
from control.registry.identity_provider import (
    IdentityProvider,
    ProviderFields,
    ProviderState,
    endpoints_told,
    told_of_provider,
)
from control.registry.partial import provider_with
from control.registry.provider_warnings import InUse, provider_warnings
from control.store import identities, identity_providers, provider_use
from control.store.pool import transaction

operations = Operations("identity providers")


@operations.get("/identity-providers")
async def list_identity_providers(asked: Asked, query: ProviderQuery) -> Page[ProviderView]:
    """List the identity providers, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await identity_providers.page(connection, limit=query.fetch, after=query.place, slug=query.slug)
        states = await identity_providers.states(connection, [row.id for row in rows])
    return page_of(
        rows, query, lambda one: _view(asked, one, states[one.id]), lambda one: place_key(one.name, one.id)
    )


@operations.post("/identity-providers")
async def create_identity_provider(asked: Asked, body: ProviderCreate) -> ProviderView:
    """Add an identity provider. It is asked for its metadata and keys at once; what it says is in the answer."""
    given = body.model_dump()
    secret, exchange_secret = given.pop("client_secret"), given.pop("exchange_client_secret")
    wanted = msgspec.convert(given, ProviderFields)
    async with asked.changing() as write:
        made = await changes.create(write, wanted, secret, asked.deps.safeguards, exchange_secret)
    return await _tested(asked, made)


@operations.get("/identity-providers/{provider_id}")
async def get_identity_provider(asked: Asked, provider_id: Id) -> ProviderView:
    """Show an identity provider, with what was last seen of it."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = one_or_404(await identity_providers.one(connection, provider_id), "identity provider")
        state = await identity_providers.state(connection, provider_id)
        use = await provider_use.of_provider(connection, found)
    return _view(asked, found, state, use)


@operations.patch("/identity-providers/{provider_id}")
async def change_identity_provider(asked: Asked, provider_id: Id, body: ProviderPatch) -> ProviderView:
    """Change an identity provider, and ask it again."""
    given = body.changes()
    secret, exchange_secret = given.pop("client_secret", None), given.pop("exchange_client_secret", None)
    wanted = partial(provider_with, given=given)
    async with asked.changing() as write:
        changed = await changes.change(
            write, provider_id, wanted, secret, asked.deps.safeguards, asked.version, exchange_secret
        )
    return await _tested(asked, changed)


@operations.delete("/identity-providers/{provider_id}")
async def delete_identity_provider(asked: Asked, provider_id: Id) -> None:
    """Delete an identity provider; what its claims gave people goes with it. Not one that gateways name."""
    async with asked.changing() as write:
        await changes.delete(write, provider_id, asked.version)


@operations.post("/identity-providers/{provider_id}/test", status=200)
async def test_identity_provider(asked: Asked, provider_id: Id) -> ProviderView:
    """Ask the provider now for its metadata and keys; what it says, or why it says nothing, is in the answer."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = one_or_404(await identity_providers.one(connection, provider_id), "identity provider")
    return await _tested(asked, found)


@operations.get("/identity-providers/{provider_id}/people")
async def list_people_of_provider(asked: Asked, provider_id: Id, query: PageQuery) -> Page[PersonAtProvider]:
    """List who is known by this provider, the first known first."""
    async with transaction(asked.pool, readonly=True) as connection:
        one_or_404(await identity_providers.one(connection, provider_id), "identity provider")
        rows = await identities.page(connection, provider_id, limit=query.fetch, after=query.after)
    return page_of(rows, query, lambda row: shown(PersonAtProvider, row), lambda row: str(row["id"]))


@operations.delete("/identity-providers/{provider_id}/people/{identity_id}", if_match=False)
async def unlink_person_from_provider(asked: Asked, provider_id: Id, identity_id: Id) -> None:
    """Unlink a person from their account at the provider; by another one they can be found again."""
    async with asked.changing() as write:
        found = await identities.one(write.connection, identity_id)
        if found is None or found.provider_id != provider_id:
            raise not_found("identity")
        await identity_changes.unlink(write, identity_id)


async def _tested(asked: Asked, provider: IdentityProvider) -> ProviderView:
    """The provider, after it was asked. What it answers is told, and changes nothing of the request's outcome."""
    if provider.enabled:
        with suppress(ProviderAway, NotApproved):  # said in the view
            _ = await asked.deps.key_sets.refresh(provider)
    view = await get_identity_provider(asked, provider.id)
    fault = await asked.deps.exchange_trial(provider)
    return view.model_copy(update={"warnings": [*view.warnings, fault]}) if fault else view


def _view(asked: Asked, provider: IdentityProvider, state: ProviderState, use: InUse | None = None) -> ProviderView:
    endpoints = state.endpoints
    seen = shown(
        ProviderSeen,
        state,
        endpoints=dict(endpoints_told(endpoints)),
        foreign_hosts=[] if endpoints is None else list(provider.foreign_hosts(endpoints)),
        unapproved_hosts=[] if endpoints is None else list(provider.unapproved_hosts(endpoints)),
        keys=[key.kid for key in state.keys],
        skipped_keys=list(state.skipped),
    )
    told = told_of_provider(provider)
    return shown(
        ProviderView,
        told,
        exchange=shown(ExchangeModel, told["exchange"]),
        team_rules=[shown(TeamRuleModel, one) for one in provider.team_rules],
        role_rules=[shown(RoleRuleModel, one) for one in provider.role_rules],
        service_rules=[shown(ServiceRuleModel, one) for one in provider.service_rules],
        redirect_uri=asked.deps.redirect_uri(provider.slug),
        seen=seen,
        warnings=provider_warnings(provider, state, time.time(), use),
    )
