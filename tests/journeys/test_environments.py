"""Environments in the browser: one is made with a preset, an entry is moved into it, and who may not is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from control.changes import environments
from control.changes.write import changing
from control.registry.environment import NewEnvironment
from control.registry.self_hosted import SelfHosted
from control.store.pool import Pool
from tests.console.registry_seeds import an_entry
from tests.console.serving import MAKER, Console, console_served
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fixtures_browser import Visits, overflows, serious_findings, shot
from tests.fixtures_redis import RedisServer


@pytest.fixture
async def console(pool: Pool, redis_server: RedisServer) -> AsyncIterator[Console]:
    """A console of a deployment that runs servers as processes."""
    async with console_served(pool, redis_server.url, LoggedRuntime("process")) as served:
        yield served


async def looked_at(page: Page, name: str) -> None:
    await shot(page, name)
    assert not await serious_findings(page), name
    assert not await overflows(page), name


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_an_environment_is_made_with_a_preset_and_an_entry_moved_into_it(
    visits: Visits, console: Console, look: str
) -> None:
    visits.expected = ("422",)
    entry = await an_entry(console, "files", reached=SelfHosted(command=("npx", "-y", "some-server@1.2.3")))
    page = await visits.page(await console.person("Ann", "admin"), look)
    await page.goto("/egress-presets/new")
    await page.get_by_label("Name", exact=True).fill("GitHub")
    await page.get_by_label("Domains").fill("api.github.com")
    await page.get_by_role("button", name="Make it").press("Enter")
    await expect(page.get_by_role("link", name="GitHub")).to_be_visible()
    await page.goto("/environments/new")
    await page.get_by_label("Name", exact=True).fill("Production")
    await page.get_by_label("Egress").select_option("restricted")
    await page.get_by_label("Networks").fill("203.0.113.7/24")
    await page.get_by_label("GitHub").check()
    await page.get_by_role("button", name="Make it").press("Enter")
    await expect(page.get_by_label("Networks")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("GitHub")).to_be_checked()
    await looked_at(page, f"environment-refused-{look}")
    await page.get_by_label("Networks").fill("203.0.113.0/24")
    await page.get_by_role("button", name="Make it").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Production")
    await expect(page.locator("main")).to_contain_text("not enforced")
    await expect(page.locator("main")).to_contain_text("Servers that run as processes share this machine's network.")
    await page.goto(f"/registry/{entry.id}/change")
    await page.get_by_label("Environment", exact=True).select_option("Production")
    await page.get_by_role("button", name="Save").last.press("Enter")
    await expect(page.get_by_role("link", name="Production")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("not enforced")
    await looked_at(page, f"entry-in-an-environment-{look}")
    await page.get_by_role("link", name="Production").press("Enter")
    await expect(page.locator("main")).to_contain_text("files")
    await looked_at(page, f"environment-in-use-{look}")


async def test_an_editor_is_refused_in_a_restricted_environment_and_told_what_is_lacking(
    visits: Visits, console: Console
) -> None:
    visits.expected = ("403",)
    entry = await an_entry(console, "ledger")
    async with changing(console.pool, MAKER) as write:
        wanted = NewEnvironment(name="Production", restricted=True)
        await environments.create(write, console.deps.safeguards, wanted)
    page = await visits.page(await console.person("Eva", "editor"), "narrow-light")
    await page.goto(f"/registry/{entry.id}/change")
    await page.get_by_label("Environment", exact=True).select_option("Production (restricted, not by you)")
    await page.get_by_role("button", name="Save").last.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("environment:deploy-to-restricted")
    await expect(page.get_by_label("Environment", exact=True)).to_have_attribute("aria-invalid", "true")
    await looked_at(page, "environment-not-by-you")
