"""A client's file in the browser: chosen, looked at, mended where it clashes, and added, with its keys dropped."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import expect

from tests.console.registry_seeds import SECRET, an_entry
from tests.console.serving import Console
from tests.fixtures_browser import Visits, overflows, serious_findings, shot

FILE = {
    "mcpServers": {
        "CRM": {"url": "https://crm.example.com/mcp", "headers": {"X-Key": SECRET, "X-Region": "eu"}},
        "Linear": {"url": "https://mcp.linear.app/mcp"},
        "unbreakable" * 8: {"url": "https://clock.example.com/mcp"},
        "Files": {"command": "docker", "env": {"KEY": SECRET}},
    }
}


async def test_a_file_becomes_entries_and_no_key_of_it_is_shown(
    visits: Visits, console: Console, tmp_path: Path
) -> None:
    await an_entry(console, "crm")
    visits.expected = ("409", "422")
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps(FILE))
    page = await visits.page(await console.person("Ed", "editor"), "narrow-dark")
    await page.goto("/registry/catalog")
    await expect(page.locator("#callback-github")).to_have_text(f"{console.url}/install/callback/github")
    await shot(page, "catalog-with-callbacks-narrow-dark")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.get_by_role("link", name="Import a client's file").press("Enter")
    await page.get_by_role("button", name="Look at it").press("Enter")
    await expect(page.get_by_label("Text of the file")).to_have_accessible_description(re.compile("is needed"))
    await shot(page, "import-refused-narrow-dark")
    await page.get_by_label("Or choose the file").set_input_files(file)
    await expect(page.get_by_label("Text of the file")).to_have_value(file.read_text())
    await page.get_by_role("button", name="Look at it").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("What was found")
    await expect(page.get_by_role("group", name="CRM")).to_contain_text("X-Key (secret), X-Region (usually eu)")
    await expect(page.get_by_role("group", name="Linear")).to_contain_text("Signing in (OAuth)")
    await expect(page.locator("body")).not_to_contain_text(SECRET)
    await shot(page, "import-found-narrow-dark")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.get_by_role("button", name="Add what is ticked").press("Enter")
    short = page.get_by_role("group", name="CRM").get_by_label("Short name")
    await expect(short).to_have_accessible_description(re.compile("another entry"))
    await shot(page, "import-taken-narrow-dark")
    await short.fill("crm-2")
    await page.get_by_label("Add unbreakable").uncheck()
    await page.get_by_role("button", name="Add what is ticked").press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("They are added")
    await expect(page.get_by_role("heading", name="Linear")).to_be_visible()
    await expect(page.get_by_role("heading", name="unbreakable")).to_have_count(0)


async def test_a_file_is_pasted_and_added_without_a_script(visits: Visits, console: Console) -> None:
    page = await visits.page(
        await console.person("Ed", "editor"), "wide-light", java_script_enabled=False
    )  # fmt: skip
    await page.goto("/registry/import")
    await expect(page.get_by_label("Or choose the file")).not_to_be_visible()
    await page.get_by_label("Text of the file").fill(json.dumps(FILE))
    await page.get_by_role("button", name="Look at it").click()
    await shot(page, "import-found-wide-light")
    await page.get_by_role("button", name="Add what is ticked").click()
    await expect(page.get_by_role("status").first).to_contain_text("They are added")
