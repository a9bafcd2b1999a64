"""Identity providers, with a real one: added, asked, its foreign host approved, its claims to teams, switched off."""

from __future__ import annotations

from playwright.async_api import expect

from control.changes import identity_providers
from control.changes.write import changing
from control.registry.identity_provider import IdentityProvider
from tests.console.serving import MAKER, Console
from tests.fakes.identity_provider import CLIENT_SECRET
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import provider_fields
from tests.fixtures_browser import Visits, overflows, serious_findings, shot
from tests.unit.control.changes import acting


async def added(console: Console, idp: Idp, **changes: object) -> IdentityProvider:
    async with changing(console.pool, MAKER) as write:
        wanted = provider_fields(issuer=idp.issuer, **{"highest_role": "editor", **changes})
        return await identity_providers.create(write, wanted, CLIENT_SECRET, console.deps.safeguards)


async def test_a_provider_is_added_and_says_at_once_how_it_is_doing(
    visits: Visits, console: Console, idp: Idp
) -> None:
    page = await visits.page(await console.person("Ann", "admin"), "narrow-light")
    visits.expected = ("422",)
    await page.goto("/identity-providers")
    await expect(page.get_by_role("heading", name="People sign in with passwords alone")).to_be_visible()
    await shot(page, "identity-providers-empty-narrow-light")
    assert not await serious_findings(page)
    await page.get_by_role("link", name="Add an identity provider").click()
    await page.get_by_label("Name", exact=True).fill("Corp")
    await page.get_by_label("Short name").fill("corp")
    await expect(page.locator("#redirect-uri")).to_have_text(f"{console.url}/sign-in/oidc/corp/callback")
    await page.get_by_label("Issuer").fill("https://ID.example.com")
    await page.get_by_role("textbox", name="Client ID optional").fill("archway")
    await page.get_by_label("Client secret").fill(CLIENT_SECRET)
    await page.get_by_role("button", name="Add it").click()
    issuer = page.get_by_label("Issuer")
    await expect(issuer).to_be_focused()
    await expect(page.get_by_label("Client secret")).to_have_value("")
    await shot(page, "identity-provider-refused-narrow-light")
    assert not await serious_findings(page)
    await issuer.fill(idp.issuer)
    await page.get_by_label("Client secret").fill(CLIENT_SECRET)
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Corp")
    await expect(page.get_by_text("works", exact=True)).to_be_visible()
    await shot(page, "identity-provider-made-narrow-light")
    assert not await overflows(page)


async def test_a_foreign_host_is_approved_by_a_button(visits: Visits, console: Console, idp: Idp) -> None:
    provider = await added(console, idp)
    elsewhere = await idp.foreign_keys()
    page = await visits.page(await console.person("Ann", "admin"), "wide-dark")
    await page.goto(f"/identity-providers/{provider.id}")
    await page.get_by_role("button", name="Ask it now").click()
    approve = page.get_by_role("button", name=f"Approve {elsewhere}", exact=True)
    await expect(page.get_by_text("waits for approval")).to_be_visible()
    await shot(page, "identity-provider-host-wide-dark")
    assert not await serious_findings(page)
    await approve.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("The host is approved")
    await expect(page.get_by_role("row", name=elsewhere)).to_contain_text("approved")
    await expect(page.get_by_text("works", exact=True)).to_be_visible()
    await shot(page, "identity-provider-approved-wide-dark")


async def test_a_claim_gives_a_team_by_keys_alone(visits: Visits, console: Console, idp: Idp) -> None:
    provider = await added(console, idp)
    async with changing(console.pool, MAKER) as write:
        await acting.new_team(write, "Support")
    page = await visits.page(await console.person("Ann", "admin"), "wide-light")
    await page.goto(f"/identity-providers/{provider.id}")
    await page.get_by_role("link", name="Name a claim").press("Enter")
    await page.get_by_label("Claim for teams").fill("groups")
    await page.get_by_label("Claim for teams").press("Enter")
    await page.get_by_label("Value of the claim").press("e")
    await page.keyboard.type("ngineering")
    await page.keyboard.press("Enter")
    rule = page.get_by_role("row", name="engineering")
    await expect(rule).to_contain_text("the team Support, as member")
    await page.get_by_role("button", name="Remove the rule for engineering").press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("The rule is gone")


async def test_switching_off_names_what_breaks(visits: Visits, console: Console, idp: Idp) -> None:
    provider = await added(console, idp, audiences=("https://mcp.example.com/v1/mcp/sales",))
    async with changing(console.pool, MAKER) as write:
        await acting.new_gateway(write, "sales", name="Sales", identity_provider_id=provider.id)
    page = await visits.page(await console.person("Ann", "admin"), "narrow-dark")
    await page.goto(f"/identity-providers/{provider.id}")
    await page.get_by_role("button", name="Switch off").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("Sales takes its tokens: calls with them are refused within a second")
    await shot(page, "identity-provider-off-narrow-dark")
    await question.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    await expect(page.get_by_text("switched off", exact=True)).to_be_visible()
