"""Who calls with a provider's tokens and is no user: jobs are bound to a service account, somebody is shut out."""

from __future__ import annotations

from playwright.async_api import expect

from control.changes import external_principals, oauth_clients
from control.changes.write import changing
from control.registry.identity_provider import TeamRule
from control.registry.oauth_client import ClientFields
from tests.console.serving import MAKER, Console
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import a_person
from tests.fixtures_browser import Visits, overflows, serious_findings, shot
from tests.journeys.test_identity_providers import added
from tests.unit.control.changes import acting


async def test_jobs_are_bound_and_somebody_without_an_account_is_shut_out(
    visits: Visits, console: Console, idp: Idp
) -> None:
    async with changing(console.pool, MAKER) as write:
        team = await acting.new_team(write, "Partners")
        wanted = ClientFields(name="Deploys", acts="by_itself", auth_method="client_secret_basic")
        await oauth_clients.create(write, wanted)
    provider = await added(
        console, idp, admits_external=True, teams_claim="groups", team_rules=(TeamRule("tool-users", team.id),)
    )
    async with changing(console.pool, MAKER) as write:
        for subject, name in (("zoe-at-partner", "Zoe"), ("5f1b0c", "")):
            await external_principals.seen(write, provider, a_person(subject=subject, name=name, email=""))
    page = await visits.page(await console.person("Ann", "admin"), "wide-light")
    visits.expected = ("422",)
    await page.goto(f"/identity-providers/{provider.id}")
    await page.locator("#claims").fill("repository=*")
    await page.get_by_role("button", name="Bind").click()
    await expect(page.get_by_text("fits whatever it is")).to_be_visible()
    await page.locator("#claims").fill("repository=acme/shop\nref=refs/tags/*")
    await page.get_by_role("button", name="Bind").click()
    await expect(page.get_by_role("status").first).to_contain_text("call as that service account")
    await expect(page.get_by_role("row", name="repository=acme/shop")).to_contain_text("Deploys")
    await page.get_by_role("button", name="Shut out Zoe").press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("They are shut out")
    await expect(page.get_by_role("row", name="Zoe")).to_contain_text("shut out")
    await shot(page, "identity-provider-callers-wide-light")
    assert not await serious_findings(page)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert not await overflows(page)
    await shot(page, "identity-provider-callers-narrow-light")
