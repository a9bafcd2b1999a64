"""The shell of the console: its navigation, its keys, its theme, and what a person sees of it."""

from __future__ import annotations

from playwright.async_api import expect

from tests.console.serving import Console
from tests.fixtures_browser import Visits, shot


async def test_a_member_sees_their_own_pages_and_nothing_else(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Bea"))
    await page.goto("/")
    links = page.get_by_role("navigation", name="Console").get_by_role("listitem")
    await expect(links).to_have_text(["Home", "Connect", "My connections", "My access"])
    await page.get_by_role("link", name="My access").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My access")
    await expect(page.locator("[aria-current=page]")).to_have_text("My access")


async def test_a_slash_leads_to_the_search_and_enter_finds(visits: Visits, console: Console) -> None:
    await console.person("Zoe Zimmer")
    page = await visits.page(await console.person("Ann", "admin"))
    await page.goto("/")
    await page.keyboard.press("/")
    await page.keyboard.type("zimm")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Zoe Zimmer").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Zoe Zimmer")


async def test_the_theme_is_changed_and_stays(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Bea"), "wide-light")
    await page.goto("/")
    await page.get_by_role("button", name="Change between light and dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_the_navigation_of_a_narrow_window_is_a_drawer_that_keys_open_and_close(
    visits: Visits, console: Console
) -> None:
    page = await visits.page(await console.person("Ann", "admin"), "narrow-light")
    await page.goto("/")
    places = page.get_by_role("navigation", name="Console")
    await expect(places).to_be_hidden()
    await page.get_by_role("button", name="Open the navigation").focus()
    await page.keyboard.press("Enter")
    await expect(places).to_be_visible()
    await shot(page, "drawer-narrow-light")
    await page.keyboard.press("Escape")
    await expect(places).to_be_hidden()
    await page.get_by_role("button", name="Open the navigation").click()
    await places.get_by_role("link", name="People").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("People")


async def test_the_first_key_leads_past_the_navigation(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Bea"))
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


async def test_a_person_signs_out(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Bea"))
    await page.goto("/my/access")
    await page.get_by_role("button", name="You: Bea").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in**")
    await page.goto("/my/access")
    await page.wait_for_url("**/sign-in?return_to=/my/access")
