"""Tokens: made with a secret that is seen once, and revoked after a question."""

from __future__ import annotations

from playwright.async_api import expect

from tests.console.serving import Console
from tests.fixtures_browser import Visits, serious_findings, shot


async def test_a_token_is_made_its_secret_is_seen_once_and_it_is_revoked(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Bea"), "narrow-light")
    await page.goto("/my/access")
    await page.get_by_role("link", name="New token").click()
    await page.get_by_label("Name", exact=True).fill("Laptop")
    await page.get_by_role("button", name="Make the token").click()
    await expect(page.locator("#secret")).to_contain_text("arch_")
    await shot(page, "token-made-narrow-light")
    assert not await serious_findings(page)
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.locator("body")).not_to_contain_text("arch_")
    await page.get_by_role("button", name="Revoke Laptop").click()
    await shot(page, "token-revoke-narrow-light")
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("status").first).to_contain_text("The token is revoked")
    await expect(page.get_by_role("row", name="Laptop")).to_contain_text("revoked")
