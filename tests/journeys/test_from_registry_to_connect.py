"""The whole way as one goes it: a server is approved, installed for a team, its tools are picked for a gateway that
the team alone sees, and one of the team connects a client; what was found is looked after on the way.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from control.changes import teams
from control.changes.write import changing
from control.registry.team import NewTeam
from control.registry.user import User
from tests.console.registry_seeds import SECRET
from tests.console.serving import MAKER, Console
from tests.fixtures_browser import Visits, overflows, serious_findings, shot


async def looked_at(page: Page, name: str) -> None:
    await shot(page, name)
    assert not await serious_findings(page)
    assert not await overflows(page)


async def a_team(console: Console, *members: User) -> None:
    async with changing(console.pool, MAKER) as write:
        team = await teams.create(write, NewTeam(name="Support", description=""))
        for one in members:
            await teams.set_member(write, team.id, one.id, "member")


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_a_server_is_approved_installed_for_a_team_and_reached_at_a_gateway(
    visits: Visits, console: Console, look: str
) -> None:
    ann = await console.person("Ann Admin", "admin")
    bea, carl = await console.person("Bea Bell"), await console.person("Carl Ny")
    await a_team(console, ann, bea)
    console.proxy.offers("search_issues", "create_issue")
    visits.expected = ("422", "404")
    page = await visits.page(ann, look)
    await approves(page, look)
    await installs(page, look)
    await looks_after(page, look)
    await shows(page, look)
    theirs = await visits.page(bea, look)
    await theirs.goto("/my/connect")
    await theirs.get_by_role("link", name="Support desk").first.click()
    await expect(theirs.get_by_text("github__search_issues").first).to_be_visible()
    await expect(theirs.get_by_role("button", name="Copy").first).to_be_visible()
    await looked_at(theirs, f"whole-way-connect-{look}")
    others = await visits.page(carl, look)
    await others.goto("/connect/support")
    await expect(others.get_by_role("heading", level=1)).to_have_text("Not here")
    await others.goto("/my/connect")
    await expect(others.locator("body")).not_to_contain_text("Support desk")


async def approves(page: Page, look: str) -> None:
    """An entry with documentation, a label, a credential and questions of several kinds."""
    await page.goto("/registry")
    await page.get_by_role("link", name="Add a server").first.click()
    await page.get_by_label("Name", exact=True).first.fill("GitHub")
    await page.get_by_label("Short name").fill("github")
    await page.get_by_label("URL", exact=True).fill("http://127.0.0.1:9/mcp")
    await page.get_by_label("Documentation").fill("https://docs.example.com/github")
    await page.get_by_label("Labels").fill("team=support")
    await page.get_by_text("A key or token").click()
    await page.get_by_role("button", name="Add a question").click()
    first = page.get_by_role("group", name="Question 1")
    await first.get_by_label("Title").fill("Account")
    await first.get_by_label("Name").fill("account")
    await first.get_by_label("Header").fill("x-account")
    await first.get_by_label("Kind").select_option("number")
    await page.get_by_role("button", name="Add a question").click()
    second = page.get_by_role("group", name="Question 2")
    await second.get_by_label("Title").fill("Region")
    await second.get_by_label("Name").fill("region")
    await second.get_by_label("Header").fill("x-region")
    await second.get_by_label("Kind").select_option("select")
    await second.get_by_label("Choices").fill("eu, us")
    await looked_at(page, f"whole-way-entry-{look}")
    await page.get_by_role("button", name="Add it").last.click()
    await expect(page.get_by_role("link", name="https://docs.example.com/github")).to_be_visible()
    await page.goto("/registry")
    await expect(page.get_by_role("link", name="Documentation of GitHub")).to_be_visible()
    await page.get_by_role("link", name="team=support").click()
    await expect(page.get_by_label("Label", exact=True)).to_have_value("team=support")
    await looked_at(page, f"whole-way-registry-{look}")


async def installs(page: Page, look: str) -> None:
    """For the team; what is missing or wrong is said at its field first."""
    await page.get_by_role("link", name="Install GitHub").click()
    await page.get_by_label("For", exact=True).select_option(label="The team Support")
    await page.get_by_label("Account").fill("twelve")
    await page.get_by_role("button", name="Install").click()
    await expect(page.get_by_label("Account")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Account")).to_have_value("twelve")
    await looked_at(page, f"whole-way-install-refused-{look}")
    await page.get_by_label("Key or token").fill(SECRET)
    await page.get_by_label("Account").fill("12")
    await page.get_by_label("Region").select_option("us")
    await page.get_by_role("button", name="Install").click()
    await expect(page.locator(".light strong")).to_have_text("Ready")
    await expect(page.locator("body")).not_to_contain_text(SECRET)


async def looks_after(page: Page, look: str) -> None:
    """Who can use it, its tools, and its server asked again."""
    await expect(page.get_by_role("region", name="Who can use it")).to_contain_text("Support")
    await expect(page.get_by_role("link", name="2 of the entry")).to_be_visible()  # the page says so by itself
    await looked_at(page, f"whole-way-installation-{look}")
    await page.get_by_role("button", name="Ask its server again").click()
    await expect(page.locator(".light strong")).to_have_text("Ready")
    await page.get_by_role("link", name="2 of the entry").click()
    await expect(page.get_by_role("link", name="search_issues")).to_be_visible()
    await page.goto("/installations")
    await expect(page.locator("tbody tr")).to_contain_text("Support")
    await looked_at(page, f"whole-way-installations-{look}")


async def shows(page: Page, look: str) -> None:
    """A gateway for the team, made and edited, with one tool resolved at call time, and usable."""
    await page.goto("/gateways")
    await page.get_by_role("link", name="New gateway").first.click()
    await page.get_by_label("Name", exact=True).fill("Support desk")
    await page.get_by_label("Short name").fill("support")
    await page.get_by_label("Visible to").select_option("teams")
    await page.get_by_label("Support", exact=True).check()
    await page.get_by_role("button", name="Make the gateway").click()
    await page.goto("/gateways")
    await page.get_by_role("link", name="Edit Support desk").click()
    await page.get_by_role("link", name="Tools", exact=True).click()
    await page.get_by_role("region", name="GitHub").get_by_label("search_issues").check()
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_text("1 of 2 tools here")).to_be_visible()
    await looked_at(page, f"whole-way-tools-{look}")
    await page.get_by_role("link", name="Back").click()
    await expect(page.locator("#state")).to_have_text("usable")
    await looked_at(page, f"whole-way-gateway-{look}")
    await page.get_by_role("main").get_by_role("link", name="Connect", exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connect to Support desk")
