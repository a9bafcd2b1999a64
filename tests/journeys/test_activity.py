"""Activity: an admin finds the call that failed and reads why; a person finds their own."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from control.store.pool import transaction
from tests.console.serving import Console
from tests.control import seeded
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot

REASON = "The server of Github did not answer within 30 seconds; nobody knows whether it did what it was asked."


@pytest.mark.parametrize("look", LOOKS)
async def test_an_admin_finds_the_call_that_failed(visits: Visits, console: Console, look: str) -> None:
    ann, bea = await console.person("Ann Admin", "admin"), await console.person("Bea Bell")
    async with transaction(console.pool) as connection:
        gateway = await seeded.gateway(connection, "sales")
    for tool in ("search_issues", "get_file", "create_issue"):
        await console.called(gateway, bea, tool)
    await console.called(gateway, bea, "merge", "upstream_slow", REASON)
    console.batches += 3
    await console.called(gateway, ann, "search_issues", "tool_error")
    page = await visits.page(ann, look)
    await page.goto("/activity")
    await expect(page.locator("tbody tr")).to_have_count(5)
    await expect(page.get_by_role("note")).to_contain_text("3 batches of")
    await shot(page, f"activity-{look}")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.get_by_label("Status").select_option("upstream_slow")
    await expect(page.locator("tbody tr")).to_have_count(1)
    assert "status=upstream_slow" in page.url
    await page.reload()
    await expect(page.locator("tbody tr")).to_contain_text("did not answer within 30 seconds")
    await page.get_by_text("More filters").click()
    await shot(page, f"activity-filtered-{look}")
    assert not await serious_findings(page)
    assert not await overflows(page)
    await page.get_by_role("link", name="merge").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("merge")
    await expect(page.locator("main")).to_contain_text(REASON)
    await expect(page.get_by_role("link", name="Bea Bell")).to_be_visible()
    await shot(page, f"activity-record-{look}")
    assert not await serious_findings(page)
    assert not await overflows(page)


async def test_a_person_finds_their_own_calls_from_my_access_without_a_script(
    visits: Visits, console: Console
) -> None:
    ann, bea = await console.person("Ann Admin", "admin"), await console.person("Bea Bell")
    async with transaction(console.pool) as connection:
        gateway = await seeded.gateway(connection, "sales")
    await console.called(gateway, ann, "theirs")
    await console.called(gateway, bea, "hers")
    page = await visits.page(bea, "narrow-light", java_script_enabled=False)
    await page.goto("/my/access")
    await page.get_by_role("link", name="Your calls").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody tr")).to_contain_text("hers")
    await shot(page, "activity-own-narrow-light")
    await page.get_by_text("More filters").click()
    await page.get_by_label("Tool").fill("another")
    await page.get_by_role("button", name="Filter", exact=True).click()
    await expect(page.get_by_role("heading", name="No call is found")).to_be_visible()
    await expect(page.get_by_label("Tool")).to_have_value("another")
