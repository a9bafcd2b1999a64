"""Sign-ins: an admin finds out why a client stopped, and a person sees what became of their own attempt."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from control.registry.sign_in_attempt import NewAttempt
from control.registry.sign_in_cures import let_in, look_at_provider
from control.registry.user import User
from tests.console.serving import Console
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot

CLIENT = "https://claude.ai/oauth/mcp-oauth-client-metadata"
REASON = "The gateway sales lets in only the clients that it names, and this is none of them."


async def tried(console: Console, person: User) -> None:
    """Claude got as far as the consent of this person, after a stranger had scanned the port."""
    notes, claude = console.deps.sign_ins, {"client": "Claude", "address": "203.0.113.7"}
    for _ in range(3):
        await notes.note(
            NewAttempt(
                step="challenge", client="python-httpx/0.28", gateway="admin", address="198.51.100.9",
                reason="There is no gateway of this name.",
                cure="Give the client the URL as the gateway's Connect page shows it.",
            )
        )  # fmt: skip
    await notes.note(NewAttempt(step="challenge", gateway="sales", **claude))
    await notes.note(NewAttempt(step="metadata", gateway="sales", **claude))
    await notes.note(NewAttempt(step="signed_in", user_id=person.id, address="203.0.113.7"))
    await notes.note(
        NewAttempt(
            step="authorised", gateway="sales", user_id=person.id, reason=REASON, **claude,
            asked=f"client_id {CLIENT}; the gateway names https://cursor.com/client.json",
            cure=let_in("sales", CLIENT),
        )
    )  # fmt: skip
    await notes.note(
        NewAttempt(
            step="connected", client="linear", user_id=person.id, address="203.0.113.7",
            reason="The provider does not take its own code any more.",
            cure=f"Begin again. {look_at_provider('linear')}",
        )
    )  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
async def test_an_admin_reads_which_step_failed_and_what_to_do(visits: Visits, console: Console, look: str) -> None:
    admin, bea = await console.person("Ann Admin", "admin"), await console.person("Bea Bell")
    await tried(console, bea)
    page = await visits.page(admin, look)
    await page.goto("/sign-ins")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign-ins")
    await shot(page, f"sign-ins-all-{look}")
    await page.get_by_label("Outcome").select_option("failed")
    await expect(page.locator("tbody tr")).to_have_count(3)
    consent = page.locator("tbody tr", has_text="Consent")
    await expect(consent).to_contain_text(REASON)
    await expect(consent).to_contain_text(f"archway gateways update sales --add-client {CLIENT}")
    await expect(consent).to_contain_text("the gateway names https://cursor.com/client.json")
    await expect(consent.get_by_role("link", name="Bea Bell")).to_be_visible()
    await expect(page.locator("tbody tr", has_text="Challenge")).to_contain_text("3 times")
    connection = page.locator("tbody tr", has_text="Connection")
    await expect(connection).to_contain_text("archway entries sign-in linear")
    await shot(page, f"sign-ins-failed-{look}")
    assert not await serious_findings(page)
    assert not await overflows(page)


async def test_a_person_sees_their_own_on_my_access_and_nobody_elses(visits: Visits, console: Console) -> None:
    bea = await console.person("Bea Bell")
    await tried(console, bea)
    page = await visits.page(bea, "narrow-light")
    await page.goto("/my/access")
    own = page.get_by_role("region", name="Your sign-ins")
    await expect(own).to_contain_text(REASON)
    await expect(own).not_to_contain_text("python-httpx")
    await shot(page, "my-access-sign-ins-narrow-light")
    await page.get_by_role("link", name="All of your sign-ins").click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect(page.get_by_role("navigation", name="Console").get_by_role("link", name="Sign-ins")).to_have_count(0)
    assert not await serious_findings(page)
