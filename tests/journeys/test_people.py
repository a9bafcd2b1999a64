"""People and teams: inviting, changing, shutting out, taking into a team; by mouse, by keys and without a script."""

from __future__ import annotations

import re

from playwright.async_api import expect

from control.changes.write import changing
from control.store import users
from control.store.pool import transaction
from tests.console.serving import MAKER, Console
from tests.fixtures_browser import Visits, serious_findings, shot
from tests.unit.control.changes import acting


async def test_an_admin_invites_somebody_who_then_chooses_a_password_and_is_in(
    visits: Visits, console: Console
) -> None:
    page = await visits.page(await console.person("Ann", "admin"))
    visits.expected = ("422",)
    await page.goto("/people")
    await page.get_by_role("link", name="Invite somebody").click()
    await page.get_by_label("Name", exact=True).fill("Bea Bell")
    await page.get_by_label("Email").fill("bea at example")
    await page.get_by_role("button", name="Invite").click()
    email = page.get_by_label("Email")
    await expect(email).to_have_value("bea at example")
    await expect(email).to_be_focused()
    await expect(email).to_have_accessible_description(re.compile("must be an address such as ann@example.com"))
    await shot(page, "invite-refused-wide-light")
    assert not await serious_findings(page)
    await email.fill("bea@example.com")
    await page.get_by_role("button", name="Invite").click()
    link = await page.locator("#link").text_content()
    await shot(page, "invited-wide-light")
    assert link is not None
    newcomer = await visits.page(None)
    await newcomer.goto(link)
    await shot(newcomer, "invitation-wide-light")
    assert not await serious_findings(newcomer)


async def test_a_person_is_shut_out_after_a_question_and_let_in_again(visits: Visits, console: Console) -> None:
    bea = await console.person("Bea Bell")
    page = await visits.page(await console.person("Ann", "admin"))
    await page.goto(f"/people/{bea.id}")
    await page.get_by_role("button", name="Shut out").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("Shut out Bea Bell?")
    await shot(page, "shut-out-wide-light")
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    await page.get_by_role("button", name="Shut out").click()
    await question.get_by_role("button", name="Shut out").click()
    await expect(page.get_by_role("status").first).to_contain_text("They are shut out")
    await page.get_by_role("button", name="Let them in").click()
    await expect(page.get_by_role("status").first).to_contain_text("They may come in again")


async def test_deleting_somebody_names_what_goes_with_them(visits: Visits, console: Console) -> None:
    bea = await console.person("Bea Bell")
    page = await visits.page(await console.person("Ann", "admin"))
    await page.goto(f"/people/{bea.id}")
    await page.get_by_role("button", name="Delete", exact=True).click()
    question = page.get_by_role("dialog")
    await expect(question.get_by_role("listitem")).to_have_text(
        ["0 tokens", "0 personal installations, with their credentials", "0 personal gateways"]
    )
    await question.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("People")
    async with transaction(console.pool, readonly=True) as connection:
        assert await users.one(connection, bea.id) is None


async def test_a_team_is_made_and_its_members_roles_change_by_keys_alone(visits: Visits, console: Console) -> None:
    await console.person("Bea Bell")
    page = await visits.page(await console.person("Ann", "admin"), "narrow-light")
    await page.goto("/teams/new")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type("Support")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Support")
    await page.get_by_label("Person").focus()
    await page.keyboard.type("Bea")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    role = page.get_by_label("Role of Bea Bell", exact=True)
    await expect(role).to_have_value("member")
    await role.select_option("editor")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("The member is saved")
    await expect(page.get_by_label("Role of Bea Bell", exact=True)).to_have_value("editor")


async def test_a_role_that_an_admin_made_is_given_and_taken_by_keys_alone(visits: Visits, console: Console) -> None:
    bea = await console.person("Bea Bell")
    async with changing(console.pool, MAKER) as write:
        await acting.new_team(write, "Support", bea.id)
        await acting.new_role(write, "Auditor", "record:read")
    page = await visits.page(await console.person("Ann", "admin"), "narrow-light")
    await page.goto(f"/people/{bea.id}")
    await page.get_by_label("For", exact=True).focus()
    await page.keyboard.type("the team")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="Auditor")).to_contain_text("the team Support")
    await shot(page, "role-given-narrow-light")
    assert not await serious_findings(page)
    await page.get_by_role("button", name="Take Auditor away, for Support").press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("The role is taken away")


async def test_without_a_script_a_refused_form_keeps_what_was_typed(visits: Visits, console: Console) -> None:
    page = await visits.page(await console.person("Ann", "admin"), java_script_enabled=False)
    visits.expected = ("422",)
    await page.goto("/teams/new")
    await page.get_by_label("Description").fill("two\nlines")
    await page.get_by_role("button", name="Make the team").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Description")).to_have_value("two\nlines")
    await page.get_by_label("Name", exact=True).fill("Support")
    await page.get_by_role("button", name="Make the team").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Support")


async def test_the_list_is_filtered_while_one_chooses_and_the_address_says_how(
    visits: Visits, console: Console
) -> None:
    await console.person("Bea Bell")
    page = await visits.page(await console.person("Ann", "admin"))
    await page.goto("/people")
    await page.evaluate("document.body.dataset.sameDocument = 'yes'")
    await page.get_by_label("Role", exact=True).select_option("admin")
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("table")).not_to_contain_text("Bea Bell")
    await expect(page).to_have_url(re.compile(r"/people\?.*role=admin"))
    assert await page.evaluate("document.body.dataset.sameDocument") == "yes"
    await page.reload()
    await expect(page.get_by_label("Role", exact=True)).to_have_value("admin")
    await expect(page.get_by_role("row")).to_have_count(2)
