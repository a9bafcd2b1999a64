"""OAuth clients: one is registered by keys alone, seen, given a key, and ended; what is taken back is asked first."""

from __future__ import annotations

import re

from playwright.async_api import expect

from control.changes import oauth_clients
from control.changes.write import changing
from control.registry.oauth_client import ClientFields
from control.store import oauth_grants
from control.store.pool import transaction
from core.tokens import digest
from tests.console.registry_seeds import BEARER, an_entry
from tests.console.serving import MAKER, Console
from tests.fixtures_browser import Visits, overflows, serious_findings, shot
from tests.unit.control.changes import acting


async def test_a_client_is_registered_by_keys_alone_and_its_secret_is_seen_once(
    visits: Visits, console: Console
) -> None:
    page = await visits.page(await console.person("Ann", "admin"), "narrow-dark")
    await page.goto("/oauth-clients")
    await expect(page.get_by_role("heading", name="No client has come yet")).to_be_visible()
    await shot(page, "oauth-clients-empty-narrow-dark")
    assert not await serious_findings(page)
    await page.goto("/oauth-clients/new")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("Open WebUI")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("https://chat.example.com/oauth/callback")
    await page.get_by_label("Name", exact=True).press("Enter")
    await expect(page.locator("#secret")).to_contain_text("archs_")
    await shot(page, "oauth-client-made-narrow-dark")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.get_by_role("link", name="I have copied it").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Open WebUI")
    await expect(page.locator("body")).not_to_contain_text("archs_")


async def test_what_is_wrong_with_a_redirect_is_said_where_it_was_typed(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Ann", "admin"), "wide-light", java_script_enabled=False)
    visits.expected = ("422",)
    await page.goto("/oauth-clients/new")
    await page.get_by_label("Name", exact=True).fill("Chat")
    await page.get_by_label("Redirects").fill("https://a.example.com/cb\nhttp://b.example.com/cb")
    await page.get_by_role("button", name="Register").click()
    redirects = page.get_by_label("Redirects")
    await expect(redirects).to_have_accessible_description(re.compile(r"\(number 2\) has http"))
    await expect(redirects).to_have_value("https://a.example.com/cb\nhttp://b.example.com/cb")
    await shot(page, "oauth-client-refused-wide-light")


async def test_an_admin_takes_back_what_somebody_allowed_and_deletes_the_client_after_a_question(
    visits: Visits, console: Console
) -> None:
    bea = await console.person("Bea Bell")
    async with changing(console.pool, MAKER) as write:
        client, _ = await oauth_clients.create(write, acting.a_client(name="Chat"))
        gateway = await acting.new_gateway(write, "sales", name="Sales", allowed_clients=(client.client_id,))
        grant = await acting.new_grant(write, client, bea.id, gateway.id)
    async with transaction(console.pool) as connection:
        await oauth_grants.redeem(connection, digest(bea.id), grant.id)
    page = await visits.page(await console.person("Ann", "admin"), "wide-dark")
    await page.goto("/people/" + bea.id)
    await page.get_by_role("link", name="Chat").click()
    await page.get_by_role("button", name="Withdraw Bea Bell at sales").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("Withdraw what Bea Bell allowed Chat?")
    await shot(page, "oauth-client-withdraw-wide-dark")
    await question.get_by_role("button", name="Withdraw").click()
    await expect(page.get_by_role("status").first).to_contain_text("access is withdrawn")
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(question).to_contain_text("the way to sign in at Sales, which lets in this client alone")
    await shot(page, "oauth-client-delete-wide-dark")
    assert not await serious_findings(page)
    await question.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("status").first).to_contain_text("The client is deleted")


async def test_an_admin_gives_a_service_account_a_key_of_its_own_by_keys_alone_and_sees_what_goes_with_it(
    visits: Visits, console: Console
) -> None:
    entry = await an_entry(console, "crm", name="CRM", credential=BEARER)
    nightly = ClientFields(name="Nightly report", acts="by_itself", auth_method="client_secret_post")
    async with changing(console.pool, MAKER) as write:
        client, _ = await oauth_clients.create(write, nightly)
    page = await visits.page(await console.person("Ann", "admin"), "narrow-dark")
    await page.goto(f"/registry/{entry.id}/install")
    await page.get_by_label("For", exact=True).focus()
    await page.keyboard.type("The service account N")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a-key-for-the-night")
    await shot(page, "service-account-install-narrow-dark")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("body")).to_contain_text("CRM, installed for the service account Nightly report.")
    await shot(page, "service-account-installed-narrow-dark")
    await page.goto(f"/oauth-clients/{client.id}")
    await expect(page.get_by_role("link", name="crm@Nightly report")).to_be_visible()
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("1 installation of its own, with the tools that are pinned to it")
    await shot(page, "service-account-delete-narrow-dark")
    assert not await serious_findings(page)
    await question.get_by_role("button", name="Delete for good").press("Enter")
    await page.goto("/installations")
    await expect(page.get_by_role("heading", name="Nothing is installed yet")).to_be_visible()
