"""What would become of a call whose server gets an exchanged token: what is known of it before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from control.admin.deps import Deps
from control.changes import identities, identity_providers
from control.changes.write import changing
from control.registry.identity import SignInGiven
from control.registry.identity_provider import Exchange, IdentityProvider
from control.store.pool import transaction
from tests.control.registry_api import Api, api
from tests.fakes.providers import a_person, provider_fields
from tests.fixtures_people import NOBODY

__all__ = ["api"]


async def provider(deps: Deps, **fields: Any) -> IdentityProvider:
    async with changing(deps.pool, NOBODY) as write:
        wanted = provider_fields(exchange=Exchange(enabled=True), **fields)
        return await identity_providers.create(write, wanted, "secret", deps.safeguards)


async def desk(api: Api, of: IdentityProvider, **fields: Any) -> dict[str, Any]:
    """A gateway with a tool of a server that gets what this provider exchanges."""
    settings = {"identity_provider_id": of.id, "audience": "crm"}
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway(**fields)
    await api.assign(gateway, entry)
    await api.patch(
        f"/entries/{entry['id']}", {"credential_model": "token_exchange", "credential_placement": settings}
    )
    return gateway


async def explained(api: Api, gateway: dict[str, Any], **body: Any) -> dict[str, Any]:
    return dict(await api.post(f"/gateways/{gateway['id']}/explain", {"tool": "time__now", **body}, expect=200))


async def test_what_rests_on_an_exchange_that_is_switched_off_is_told_of_the_provider_and_of_the_entry(
    api: Api, deps: Deps
) -> None:
    corp = await provider(deps)
    await desk(api, corp)
    (entry,) = await api.admin.items("/entries")
    off = await api.patch(f"/identity-providers/{corp.id}", {"exchange": {"enabled": False}})
    assert any(f"Nobody can call {entry['slug']}" in one for one in off["warnings"])
    assert any("no caller gets a token" in one for one in (await api.get(f"/entries/{entry['id']}"))["warnings"])


async def test_who_has_not_signed_in_with_the_provider_is_told_where_they_do(api: Api, deps: Deps) -> None:
    gateway = await desk(api, await provider(deps))
    await api.user("anna")
    told = await explained(api, gateway, subject="user:anna@example.com")
    assert told["reason"] == "needs_sign_in"
    assert "sign in at https://tools.example.com/sign-in/oidc/" in told["sentence"]


async def test_for_who_has_signed_in_the_provider_would_be_asked_and_is_not(api: Api, deps: Deps) -> None:
    corp = await provider(deps)
    gateway, anna = await desk(api, corp), await api.user("anna")
    async with changing(deps.pool, NOBODY) as write:
        identity = await identities.link(write, corp, a_person(), anna.user["id"])
        sealed = deps.safeguards.seals.provider_tokens(identity.id, b"{}")
        await identities.sign_in(write, corp, identity, a_person(), SignInGiven(sealed))
    told = await explained(api, gateway, subject="user:anna@example.com")
    assert told["sentence"] == ""
    assert told["serving"]["uses"] == "sign_in"
    assert "would be asked to exchange" in told["serving"]["asks_first"]
    assert {one["name"]: one["of"] for one in told["headers"]}["authorization"] == "credential"
    stages = {one["stage"]: one["outcome"] for one in told["stages"]}
    assert (stages["resolve_credential"], stages["compose_headers"]) == ("at_the_call", "passed")


async def test_a_provider_that_exchanges_nothing_gives_no_token(api: Api, deps: Deps) -> None:
    gateway = await desk(api, await provider(deps))
    await api.user("anna")
    async with transaction(deps.pool) as connection:
        await connection.execute("update identity_providers set exchange = '{}'")
    told = await explained(api, gateway, subject="user:anna@example.com")
    assert "the identity provider that it names gives no tokens" in told["sentence"]


@pytest.mark.parametrize("subject", ["team:Ops", "organisation"])
async def test_who_is_no_person_has_nothing_to_exchange(api: Api, deps: Deps, subject: str) -> None:
    await api.team("Ops")
    gateway = await desk(api, await provider(deps))
    told = await explained(api, gateway, subject=subject)
    assert told["reason"] == "not_allowed"
    assert not (told["serving"] or {}).get("uses")


async def test_a_callers_own_token_of_another_provider_is_not_exchanged(api: Api, deps: Deps) -> None:
    corp = await provider(deps)
    other = await provider(deps, slug="other", name="Other", issuer="https://other.test", audiences=("desk",))
    fields = {"identity_provider_id": other.id, "identity_provider_audience": "desk"}
    gateway = await desk(api, corp, **fields)
    await api.user("anna")
    told = await explained(api, gateway, subject="user:anna@example.com", by="jwt")
    assert "you call with a token of https://other.test" in told["sentence"]
