"""Who calls with a provider's tokens and is no user, on the provider's page: people without an account, and jobs."""

from __future__ import annotations

from html import unescape

from control.changes import external_principals, oauth_clients
from control.changes.write import changing
from control.registry.external_principal import ExternalPrincipal
from control.registry.identity_provider import IdentityProvider, ServiceRule
from control.registry.oauth_client import ClientFields, OAuthClient
from control.store import external_principals as externals
from control.store.pool import transaction
from tests.console.serving import MAKER, Console, reading
from tests.console.test_identity_providers import added, kept
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import a_person
from tests.unit.control.changes.acting import NOBODY


async def nightly(console: Console) -> OAuthClient:
    async with changing(console.pool, MAKER) as write:
        wanted = ClientFields(name="Nightly", acts="by_itself", auth_method="client_secret_basic")
        made, _ = await oauth_clients.create(write, wanted)
    return made


async def zoe(console: Console, provider: IdentityProvider) -> ExternalPrincipal:
    async with changing(console.pool, MAKER) as write:
        found = await external_principals.seen(write, provider, a_person(subject="zoe-there", name="Zoe <b>"))
    assert found is not None
    return found


async def is_out(console: Console, external: ExternalPrincipal) -> bool:
    async with transaction(console.pool, readonly=True) as connection:
        found = await externals.one(connection, external.id)
    assert found is not None
    return found.disabled_at is not None


async def test_jobs_are_bound_to_a_service_account_and_unbound(console: Console, idp: Idp) -> None:
    provider, account = await added(console, idp.issuer), await nightly(console)
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        form = {"oauth_client_id": account.id, "claims": "repository=acme/shop\nref=refs/tags/*"}
        status, text, _ = await reader.post(f"{path}/jobs", **form)
        assert status == 303, text
        rule = ServiceRule(account.id, {"repository": "acme/shop", "ref": "refs/tags/*"})
        assert (await kept(console, provider.id)).service_rules == (rule,)
        _, page = await reader.get(path)
        assert "ref=refs/tags/*" in unescape(page)
        assert "Nightly" in page

        status, page, _ = await reader.post(f"{path}/jobs", **{**form, "claims": "repository=*"})
        assert status == 422
        assert "whatever it is" in unescape(page)
        assert "repository=*" in unescape(page)  # what was typed stands in its field

        await reader.post(f"{path}/jobs/remove", **{**form, "claims": form["claims"] + "\n"})
        assert (await kept(console, provider.id)).service_rules == ()


async def test_somebody_without_an_account_is_shut_out_and_let_in(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, admits_external=True)
    known = await zoe(console, provider)
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, page = await reader.get(path)
        assert "Zoe &lt;b&gt;" in page
        assert "no gateway is open to them" in unescape(page)
        assert (await reader.post(f"{path}/without-account/{known.id}/disable"))[0] == 303
        assert await is_out(console, known)
        assert "shut out" in (await reader.get(path))[1]
        await reader.post(f"{path}/without-account/{known.id}/enable")
        assert not await is_out(console, known)
        assert (await reader.post(f"{path}/without-account/{NOBODY}/disable"))[0] == 404
        elsewhere = await added(console, "https://other.example.com", slug="other")
        assert (await reader.post(f"/identity-providers/{elsewhere.id}/without-account/{known.id}/disable"))[0] == 404


async def test_an_editor_sees_the_rules_and_nobody_without_an_account(console: Console, idp: Idp) -> None:
    account = await nightly(console)
    rule = ServiceRule(account.id, {"repository": "acme/shop"})
    provider = await added(console, idp.issuer, admits_external=True, service_rules=(rule,))
    known = await zoe(console, provider)
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Eve", "editor")) as reader:
        _, page = await reader.get(path)
        assert "repository=acme/shop" in page
        assert "zoe-there" not in page
        assert (await reader.post(f"{path}/without-account/{known.id}/disable"))[0] == 403
        form = {"oauth_client_id": account.id, "claims": "a=b"}
        assert (await reader.post(f"{path}/jobs", **form))[0] == 403


async def test_the_form_says_whether_callers_without_an_account_are_admitted(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, admits_external=True)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, page = await reader.get(f"/identity-providers/{provider.id}/change")
        box = page.partition('name="admits_external"')[2].partition(">")[0]
        assert "checked" in box
