"""Servers that Archway runs, in the browser: described by keys, read about while they do not run, their log."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from control.changes import server_states
from control.changes.write import changing
from control.registry.fields import Field
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Phase, ServerState
from control.store.pool import Pool
from tests.console.registry_seeds import SECRET, an_entry, an_installation
from tests.console.serving import MAKER, Console, console_served
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fixtures_browser import Visits, overflows, serious_findings, shot
from tests.fixtures_redis import RedisServer

LONG = "x" * 200


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime("cluster")


@pytest.fixture
async def console(pool: Pool, redis_server: RedisServer, runtime: LoggedRuntime) -> AsyncIterator[Console]:
    """A console of a deployment that runs servers."""
    async with console_served(pool, redis_server.url, runtime) as served:
        yield served


async def looked_at(page: Page, name: str) -> None:
    await shot(page, name)
    assert not await serious_findings(page), name
    assert not await overflows(page), name


async def reported(console: Console, installation_id: str, phase: Phase, **told: str) -> None:
    state = ServerState(
        installation_id=installation_id, phase=phase, place="cluster", generation=1, isolation="kubernetes",
        resolved={"image": "registry.example.com/base@sha256:" + "0a" * 32, "packages": [["some-server", "1.2.3"]]},
        **told,  # type: ignore[arg-type]  # texts
    )  # fmt: skip
    async with changing(console.pool, MAKER) as write:
        assert await server_states.keep(write, state)


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_a_server_that_we_run_is_described_and_what_is_wrong_is_said_where_it_was_typed(
    visits: Visits, console: Console, look: str
) -> None:
    visits.expected = ("422",)
    page = await visits.page(await console.person("Ann", "admin"), look)
    await page.goto("/registry/new")
    await page.get_by_label("Name", exact=True).first.fill("Files")
    await page.get_by_label("Short name").fill("files")
    await page.get_by_label("It runs elsewhere").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_label("URL", exact=True)).not_to_be_visible()
    await page.get_by_label("Command").fill("npx -y some-server --root=${user_config.folder}")
    await page.get_by_label("Variables").fill("LOG_LEVEL=debug")
    await page.get_by_role("button", name="Add a question").press("Enter")
    question = page.get_by_role("group", name="Question 1")
    await question.get_by_label("Title").fill("Folder")
    await question.get_by_label("Name").fill("folder")
    await question.get_by_label("Usual answer").fill("/data")
    await expect(question.get_by_label("Variable")).to_be_visible()
    await page.get_by_text("Secrets", exact=True).click()
    await page.get_by_role("button", name="Add a secret").press("Enter")
    secret = page.get_by_role("group", name="Secret 1")
    await secret.get_by_label("Name").fill("SHARED_KEY")
    await secret.get_by_label("Value").fill(SECRET)
    await page.get_by_text("What it may use").click()
    await looked_at(page, f"ours-typed-{look}")
    await page.get_by_label("Short name").press("Enter")
    await expect(page.get_by_label("Command")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("body")).not_to_contain_text(SECRET)
    await looked_at(page, f"ours-refused-{look}")
    await page.get_by_label("Command").fill("npx -y some-server ${user_config.folder}")
    await secret.get_by_label("Value").fill(SECRET)
    await page.get_by_role("button", name="Add it").last.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Files")
    await looked_at(page, f"ours-entry-{look}")


@pytest.mark.parametrize("look", ["wide-dark", "narrow-light"])
async def test_why_a_server_does_not_run_is_read_and_its_log_is_followed(
    visits: Visits, console: Console, runtime: LoggedRuntime, look: str
) -> None:
    entry = await an_entry(
        console, "files", reached=SelfHosted(command=("npx", "-y", "some-server@1.2.3", "${user_config.folder}")),
        fields=(Field("folder", "string", title="Folder", default="/data"),),
    )  # fmt: skip
    made = await an_installation(console, entry)
    page = await visits.page(await console.person("Ann Admin", "admin"), look)
    await page.goto(f"/installations/{made.id}")
    await expect(page.locator(".light strong")).to_have_text("Waiting to start")
    await reported(console, made.id, "starting")
    await expect(page.locator(".light strong")).to_have_text("Starting")
    await looked_at(page, f"ours-starting-{look}")
    await reported(console, made.id, "failed", cause="crashed", message=f"Error: TOKEN is not set.\n{LONG}")
    await expect(page.locator(".light strong")).to_have_text("Does not run")
    await expect(page.locator(".light")).to_contain_text("Its program ends again and again.")
    await expect(page.locator("main")).to_contain_text("TOKEN is not set")
    await looked_at(page, f"ours-failed-{look}")
    runtime.lines = [f"{number:03} line of the log {LONG if number == 7 else ''}\n".encode() for number in range(150)]
    runtime.before = [b"Error: TOKEN is not set.\n"]
    await page.get_by_role("link", name="Log", exact=True).press("Enter")
    await expect(page.get_by_text("149 line of the log")).to_be_in_viewport()
    await looked_at(page, f"ours-log-{look}")
    runtime.lines.append(b"150 the newest\n")
    await expect(page.get_by_text("150 the newest")).to_be_in_viewport()
    await page.get_by_role("button", name="Pause").press("Enter")
    await page.get_by_label("Lines with").fill("newest")
    await page.get_by_label("Lines with").press("Enter")
    await expect(page.locator(".log")).to_have_text("150 the newest\n")
    await page.get_by_role("link", name="The run before").click()
    await expect(page.get_by_text("TOKEN is not set")).to_be_visible()
    await looked_at(page, f"ours-log-before-{look}")
    await page.goto("/installations")
    await expect(page.locator("tbody tr")).to_contain_text("does not run")
    await looked_at(page, f"ours-list-{look}")
    await page.goto(f"/installations/{made.id}")
    await page.get_by_role("button", name="Restart").click()
    await looked_at(page, f"ours-restart-{look}")
    await page.get_by_role("button", name="Cancel").first.press("Enter")
    await reported(console, made.id, "ready")
    await expect(page.locator(".light strong")).not_to_have_text("Does not run")


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_what_is_said_over_a_deployment_is_refused_by_line_tried_and_saved(
    visits: Visits, console: Console, look: str
) -> None:
    visits.expected = ("422",)
    entry = await an_entry(console, "files", reached=SelfHosted(command=("npx", "-y", "some-server@1.2.3")))
    page = await visits.page(await console.person("Ann", "admin"), look)
    await page.goto(f"/registry/{entry.id}")
    await page.get_by_role("link", name="nothing yet").press("Enter")
    text = page.get_by_label("What is said over it")
    await text.fill("spec:\n  template:\n    spec:\n      hostNetwork: true\n")
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(text).to_be_focused()
    await expect(text).to_have_accessible_description(re.compile("Line 4 spec.template.spec.hostNetwork"))
    await looked_at(page, f"override-refused-{look}")
    await text.fill(f"# {LONG}\nspec:\n  template:\n    spec:\n      nodeSelector: {{disk: ssd}}\n")
    await page.get_by_role("button", name="Show what it makes").press("Enter")
    await expect(page.locator("#differences")).to_contain_text("+        disk: ssd")
    await page.get_by_text("The whole Deployment").press("Enter")
    await looked_at(page, f"override-tried-{look}")
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_role("link", name="what YAML says")).to_be_visible()
