"""What would happen: an administrator asks why somebody cannot call a tool, and asks again once that is mended."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from control.changes import teams
from control.changes.write import changing
from control.registry.team import NewTeam
from control.store.pool import transaction
from tests.console.serving import MAKER, Console
from tests.control import seeded
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot


async def desk(console: Console, team: str) -> str:
    """A gateway for a team, with a tool of a server to which the organisation is connected; its identifier."""
    async with transaction(console.pool) as connection:
        entry = await seeded.entry(connection, "crm")
        tool = await seeded.tool(connection, entry, "find_contact")
        await seeded.installation(connection, entry, name="Company account")
        gateway = await seeded.gateway(connection, "desk", teams=(team,))
        await seeded.assignment(connection, gateway, tool, "crm__find_contact")
    return gateway


async def looked_at(page: Page, name: str) -> None:
    await shot(page, name)
    assert not await serious_findings(page)
    assert not await overflows(page)


@pytest.mark.parametrize("look", LOOKS)
async def test_why_somebody_cannot_call_a_tool_is_found_and_mended(
    visits: Visits, console: Console, look: str
) -> None:
    ann, bea = await console.person("Ann Admin", "admin"), await console.person("Bea Bell")
    async with changing(console.pool, MAKER) as write:
        team = await teams.create(write, NewTeam(name="Support", description=""))
    gateway = await desk(console, team.id)
    page = await visits.page(ann, look)
    await page.goto(f"/gateways/{gateway}")
    await page.get_by_role("link", name="What would happen?").click()
    await page.get_by_label("Tool", exact=True).fill("crm__find_contact")
    await page.get_by_role("textbox", name="Caller").fill(f"user:{bea.email}")
    await page.keyboard.press("Enter")
    outcome = page.get_by_role("region", name="would be refused")
    await expect(outcome).to_contain_text("There is no such gateway for this caller; check the URL.")
    await expect(outcome).to_contain_text("Desk is for members of Support, and Bea Bell is in none of them.")
    await expect(outcome.get_by_text("archway teams add Support 'Bea Bell'")).to_be_visible()
    await looked_at(page, f"explain-refused-{look}")
    async with changing(console.pool, MAKER) as write:
        await teams.set_member(write, team.id, bea.id, "member")
    await page.get_by_role("button", name="Ask").click()
    allowed = page.get_by_role("region", name="nothing refuses it")
    await expect(allowed).to_contain_text("Company account")
    await expect(page.get_by_role("row", name="Enter gateway")).to_contain_text("passed")
    await expect(page.get_by_role("row", name="Receive")).to_contain_text("known at the call")
    await looked_at(page, f"explain-allowed-{look}")


async def test_a_member_asks_about_themselves_alone(visits: Visits, console: Console) -> None:
    async with transaction(console.pool) as connection:
        gateway = await seeded.gateway(connection, "desk")
    visits.expected = ("422",)
    page = await visits.page(await console.person("Bea Bell"), "narrow-dark")
    await page.goto(f"/gateways/{gateway}/explain?tool=nothing")
    await expect(page.get_by_label("Tool", exact=True)).to_have_value("nothing")
    await expect(page.get_by_role("textbox", name="Caller")).to_have_count(0)
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_role("region", name="would be refused")).to_contain_text("You would be told")
    await expect(page.get_by_text("Unknown tool: nothing").first).to_be_visible()
    await page.get_by_label("Arguments").fill("[1]")
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_text("must be a JSON object")).to_be_visible()
    await looked_at(page, "explain-of-oneself")
