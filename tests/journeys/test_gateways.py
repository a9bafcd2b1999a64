"""Gateways: an admin makes one, picks its tools and connects a client, as the pages lead; by keys, in every look."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from control.store import assignments
from control.store.pool import transaction
from tests.console.serving import Console
from tests.control import seeded
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot

TOOLS = {
    "github": ("search_issues", "create_issue", "get_file"),
    "jira": ("find_ticket", "move_ticket"),
}


async def servers(console: Console) -> None:
    """Two servers with tools; one is installed for everybody."""
    async with transaction(console.pool) as connection:
        for slug, names in TOOLS.items():
            entry = await seeded.entry(connection, slug)
            for name in names:
                told = {
                    "name": name, "description": f"Does what {name} says, and tells of it.",
                    "annotations": {"readOnlyHint": name.startswith(("search", "get", "find"))},
                    "inputSchema": {"type": "object"},
                }  # fmt: skip
                await seeded.tool(connection, entry, name, definition=told)
            if slug == "github":
                await seeded.installation(connection, entry, name="Company account")


async def names_of(console: Console, slug: str) -> list[str]:
    async with transaction(console.pool, readonly=True) as connection:
        gateway_id = await connection.fetchval("select id from gateways where slug = $1", slug)
        found = await assignments.page(connection, gateway_id, limit=100, after=None)
    return [one.exposed_name for one in found]


async def looked_at(page: Page, name: str) -> None:
    await shot(page, name)
    assert not await serious_findings(page)
    assert not await overflows(page)


@pytest.mark.parametrize("look", LOOKS)
async def test_a_gateway_is_made_given_tools_and_connected(visits: Visits, console: Console, look: str) -> None:
    await servers(console)
    page = await visits.page(await console.person("Ann Admin", "admin"), look)
    await page.goto("/gateways")
    await expect(page.get_by_role("heading", name="There is no gateway yet")).to_be_visible()
    await looked_at(page, f"gateways-empty-{look}")
    await page.get_by_role("link", name="New gateway").first.click()
    await page.get_by_label("Name", exact=True).fill("Sales")
    await page.get_by_label("Short name").fill("sales")
    await page.get_by_text("Advanced", exact=True).click()
    await page.get_by_label("Headers that go on").fill("x-tenant")
    await looked_at(page, f"gateway-new-{look}")
    await page.get_by_role("button", name="Make the gateway").click()
    await expect(page.get_by_role("status").first).to_contain_text("Pick its tools")
    await page.goto("/gateways")
    await expect(page.get_by_role("row", name="Sales")).to_contain_text("No tool is assigned")
    await page.get_by_role("link", name="Edit Sales").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Edit Sales")
    await looked_at(page, f"gateway-edit-{look}")
    await page.get_by_role("link", name="Tools", exact=True).click()
    github = page.get_by_role("region", name="Github")
    await github.get_by_label("search_issues").check()
    await github.get_by_label("Newly ticked tools are called with the account of").select_option(index=1)
    await looked_at(page, f"gateway-tools-{look}")
    await page.get_by_role("button", name="Update").click()
    await expect(github.get_by_text("1 of 3 tools here")).to_be_visible()
    await expect(github).to_contain_text("pinned to Company account")
    await page.get_by_role("link", name="Back").click()
    await expect(page.locator("#state")).to_have_text("usable")
    await expect(page.locator("#url")).to_have_text("https://mcp.example.com/v1/mcp/sales")
    await expect(page.get_by_role("button", name="Copy").first).to_be_visible()
    await looked_at(page, f"gateway-sheet-{look}")
    await page.get_by_role("main").get_by_role("link", name="Connect", exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connect to Sales")
    assert await names_of(console, "sales") == ["github__search_issues"]


async def test_what_was_ticked_is_kept_while_one_looks_for_more(visits: Visits, console: Console) -> None:
    await servers(console)
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "sales")
    page = await visits.page(await console.person("Ann", "admin"), "wide-light")
    await page.goto(f"/gateways/{gateway_id}/tools")
    await page.get_by_role("region", name="Jira").get_by_label("All that are listed").check()
    await expect(page.locator("[data-picked]")).to_have_text("2 to save")
    await page.get_by_label("Look for", exact=True).fill("issue")
    await expect(page.get_by_label("find_ticket")).to_have_count(0)
    assert "q=issue" in page.url
    await page.get_by_label("create_issue").check()
    await expect(page.locator("[data-picked]")).to_have_text("3 to save")
    await page.get_by_label("Look for", exact=True).fill("ticket")
    await expect(page.get_by_label("find_ticket")).to_be_checked()
    await page.get_by_label("move_ticket").uncheck()
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_role("status").first).to_contain_text("The tools are saved")
    await expect(page.get_by_label("Look for", exact=True)).to_have_value("ticket")
    assert await names_of(console, "sales") == ["github__create_issue", "jira__find_ticket"]
    await page.get_by_label("find_ticket").uncheck()
    await page.get_by_label("Look for", exact=True).fill("")
    await expect(page.get_by_label("create_issue")).to_be_visible()
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_role("status").first).to_contain_text("The tools are saved")
    assert await names_of(console, "sales") == ["github__create_issue"]


async def test_tools_are_picked_by_keys_alone_and_all_are_taken_away_after_a_question(
    visits: Visits, console: Console
) -> None:
    await servers(console)
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "sales")
    page = await visits.page(await console.person("Ann", "admin"), "narrow-dark")
    await page.goto(f"/gateways/{gateway_id}/tools")
    await page.get_by_label("find_ticket").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")  # sends the form as its first button does: Update
    await expect(page.get_by_role("status").first).to_contain_text("The tools are saved")
    assert await names_of(console, "sales") == ["jira__find_ticket"]
    await page.get_by_role("button", name="Assign all 3").press("Enter")
    await expect(page.get_by_text("3 of 3 tools here")).to_be_visible()
    await page.get_by_role("button", name="Take away all tools of Github").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("3 tools go from Sales")
    await looked_at(page, "gateway-take-all-narrow-dark")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Take away all tools of Github").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Take all away").press("Enter")
    await expect(page.get_by_text("0 of 3 tools here")).to_be_visible()
    assert await names_of(console, "sales") == ["jira__find_ticket"]


async def test_a_name_that_is_taken_is_said_where_it_was_typed_without_a_script(
    visits: Visits, console: Console
) -> None:
    await servers(console)
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "sales")
    visits.expected = ("409",)
    page = await visits.page(await console.person("Ann", "admin"), "narrow-light", java_script_enabled=False)
    await page.goto(f"/gateways/{gateway_id}/tools")
    await page.get_by_role("button", name="Assign all 2").click()
    await page.get_by_role("link", name="jira__find_ticket").click()
    await page.get_by_label("Name", exact=True).fill("jira__move_ticket")
    await page.get_by_role("button", name="Update").click()
    field = page.get_by_label("Name", exact=True)
    await expect(page.locator("#exposed_name-error")).to_have_text("Name is taken on this gateway; choose another.")
    await expect(field).to_have_value("jira__move_ticket")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await shot(page, "gateway-tool-refused-narrow-light")
    await field.fill("find")
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_role("link", name="find", exact=True)).to_be_visible()


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_deleting_one_says_before_what_breaks(visits: Visits, console: Console, look: str) -> None:
    await servers(console)
    ann = await console.person("Ann", "admin")
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "sales")
        tool = await connection.fetchval("select id from entry_tools where name = 'find_ticket'")
        await seeded.assignment(connection, gateway_id, tool, "find_ticket")
    await console.called(gateway_id, ann, "find_ticket")
    page = await visits.page(ann, look)
    await page.goto(f"/gateways/{gateway_id}")
    await expect(page.locator("#state")).to_have_text("not usable")
    await expect(page.get_by_role("link", name="Look at the installations")).to_be_visible()
    await looked_at(page, f"gateway-not-usable-{look}")
    await page.get_by_role("button", name="Delete").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("it was last called")
    await looked_at(page, f"gateway-delete-{look}")
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("status").first).to_contain_text("The gateway is deleted")


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_tools_are_loaded_when_needed_and_a_servers_prompts_are_picked_by_keys(
    visits: Visits, console: Console, look: str
) -> None:
    await servers(console)
    async with transaction(console.pool) as connection:
        entry = await connection.fetchval("select id from entries where slug = 'github'")
        for kind in ("resources", "prompts"):
            await seeded.tool(connection, entry, f"all_{kind}", kind=kind)
        gateway_id = await seeded.gateway(connection, "sales")
    page = await visits.page(await console.person("Ann", "admin"), look)
    await page.goto(f"/gateways/{gateway_id}/edit")
    await page.get_by_label("Load tools when needed").focus()
    await page.keyboard.press("Space")
    await page.get_by_text("Advanced", exact=True).press("Enter")
    asks = page.get_by_role("group", name="Servers may ask callers")
    await expect(asks.get_by_label("to fill in a form")).to_be_checked()
    await asks.get_by_label("to ask their model something").press("Space")
    await looked_at(page, f"gateway-loading-{look}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("definition").filter(has_text="search_tools")).to_be_visible()
    await page.get_by_role("link", name="Pick tools").first.press("Enter")
    github = page.get_by_role("region", name="Github")
    await github.get_by_label("All that are listed").check()
    await expect(page.locator("[data-picked]")).to_have_text("3 to save")
    await expect(github.get_by_label("all_prompts")).not_to_be_checked()
    await github.get_by_label("all_prompts").press("Space")
    await looked_at(page, f"gateway-offers-picked-{look}")
    await page.keyboard.press("Enter")
    await expect(github.get_by_text("3 of 3 tools here, and resources or prompts")).to_be_visible()
    await page.goto(f"/gateways/{gateway_id}")
    await expect(page.get_by_text("all prompts, as each caller's own account sees them")).to_be_visible()
    await looked_at(page, f"gateway-with-prompts-{look}")
    await page.get_by_role("link", name="github__all_prompts").click()
    await looked_at(page, f"gateway-prompts-{look}")
    await page.goto("/connect/sales")
    await expect(page.get_by_text("Your client lists two tools")).to_be_visible()
    await looked_at(page, f"connect-loading-{look}")
    assert "github__all_prompts" in await names_of(console, "sales")
