"""Connect: a newcomer makes a token, copies what their client needs, and sees their first call arrive."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

from playwright.async_api import Page, expect

from control.console.live import MOST_OF_ONE
from control.store.pool import transaction
from tests.console.serving import Console, reading
from tests.control import seeded
from tests.fixtures_browser import Visits, serious_findings, shot


async def a_gateway(console: Console) -> str:
    async with transaction(console.pool) as connection:
        return await seeded.gateway(connection, "sales", name="Sales")


async def chooses(page: Page, client: str) -> None:
    """A person takes the client's tab, and there the way by a token: signing in comes first."""
    await page.locator("label", has_text=client).click()
    await page.locator("label", has_text="With a token").locator("visible=true").click()


async def test_the_light_turns_green_by_itself_when_the_first_call_arrives(visits: Visits, console: Console) -> None:
    gateway_id, bea = await a_gateway(console), await console.person("Bea")
    page = await visits.page(bea)
    await page.goto("/")
    await page.get_by_role("link", name="Connect to Sales").click()
    await expect(page.get_by_text("Waiting for your first call")).to_be_visible()
    await chooses(page, "Claude Code")
    await page.get_by_role("button", name="Make a token for Claude Code").click()
    command = page.locator("pre", has_text="claude mcp add").locator("visible=true")
    await expect(command).to_contain_text("https://mcp.example.com/v1/mcp/sales")
    await expect(command).to_contain_text("Authorization: Bearer arch_")
    await shot(page, "connect-made-wide-light")
    await console.called(gateway_id, bea, "crm__find_contact")
    await expect(page.get_by_text("Connected: your call arrived")).to_be_visible(timeout=30_000)
    await expect(page.locator(".light.ok")).to_contain_text("crm__find_contact by claude-code 2.1")
    await expect(command).to_contain_text("Authorization: Bearer arch_")
    await shot(page, "connect-green-wide-light")
    assert not await serious_findings(page)


async def test_a_call_that_was_refused_says_why_and_the_light_goes_on_waiting(
    visits: Visits, console: Console
) -> None:
    gateway_id, bea = await a_gateway(console), await console.person("Bea")
    page = await visits.page(bea, "narrow-dark")
    await page.goto("/connect/sales")
    await console.called(gateway_id, bea, "crm__find", "quarantined", "crm__find is in quarantine; ask an admin.")
    await expect(page.locator(".light.bad")).to_contain_text("crm__find is in quarantine")
    await shot(page, "connect-refused-narrow-dark")
    assert not await serious_findings(page)
    await console.called(gateway_id, bea, "crm__find")
    await expect(page.locator(".light.ok")).to_be_visible(timeout=30_000)


async def test_somebody_elses_call_turns_nobodys_light_green(visits: Visits, console: Console) -> None:
    gateway_id = await a_gateway(console)
    bea, carl = await console.person("Bea"), await console.person("Carl")
    page, theirs = await visits.page(bea), await visits.page(carl)
    await page.goto("/connect/sales")
    await theirs.goto("/connect/sales")
    await console.called(gateway_id, carl, "crm__find")
    await expect(theirs.locator(".light.ok")).to_be_visible(timeout=30_000)
    await expect(page.locator(".light.waiting")).to_be_visible()


async def test_a_page_that_found_no_place_to_wait_asks_again(visits: Visits, console: Console) -> None:
    gateway_id, bea = await a_gateway(console), await console.person("Bea")
    visits.expected = ("503",)
    page, url = await visits.page(bea), f"{console.url}/connect/sales/first-call"
    async with AsyncExitStack() as others, reading(console, bea) as reader:
        for _ in range(MOST_OF_ONE):
            await others.enter_async_context(reader.http.get(url))
        async with page.expect_response("**/first-call") as refused:
            await page.goto("/connect/sales")
        assert (await refused.value).status == 503
    await console.called(gateway_id, bea, "crm__find")
    await expect(page.locator(".light.ok")).to_be_visible()


async def test_a_client_is_chosen_by_keys_and_what_it_needs_is_copied(visits: Visits, console: Console) -> None:
    await a_gateway(console)
    page = await visits.page(await console.person("Bea"), permissions=["clipboard-read", "clipboard-write"])
    await page.goto("/connect/sales")
    await page.get_by_role("radio", name="Claude Desktop").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="VS Code")).to_be_checked()
    file = page.locator("figure", has_text=".vscode/mcp.json").locator("visible=true").first
    await file.get_by_role("button", name="Copy").click()
    await expect(file.get_by_role("button", name="Copied")).to_be_visible()
    copied = json.loads(await page.evaluate("navigator.clipboard.readText()"))
    assert copied["servers"]["sales"]["url"] == "https://mcp.example.com/v1/mcp/sales"


async def test_without_a_script_a_client_is_chosen_and_a_token_made(visits: Visits, console: Console) -> None:
    await a_gateway(console)
    page = await visits.page(await console.person("Bea"), java_script_enabled=False)
    await page.goto("/connect/sales")
    await chooses(page, "Codex")
    await page.get_by_role("button", name="Make a token for Codex").click()
    await expect(page.locator("pre", has_text="export ARCHWAY_TOKEN=arch_").locator("visible=true")).to_have_count(1)
    await expect(page.get_by_text("Waiting for your first call")).to_be_visible()
