"""Pages of gateways over plain HTTP: making, changing and deleting one, and its tools, picked and taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import pytest

from control.registry.assignment import Assignment
from control.registry.gateway import Gateway
from control.registry.user import User
from control.store import assignments, gateways
from control.store.pool import transaction
from tests.console.serving import Console, Reader, reading
from tests.control import seeded

NEW = {"name": "Sales", "slug": "sales", "visibility": "organisation"}


@dataclass(frozen=True)
class Known:
    """Two servers with tools: one installed for everybody, the other for nobody."""

    github: str
    search: str
    create: str
    jira: str
    find: str
    installation: str


async def known(console: Console) -> Known:
    async with transaction(console.pool) as connection:
        github, jira = await seeded.entry(connection, "github"), await seeded.entry(connection, "jira")
        told = {"name": "search", "description": "Finds issues \u202eby words", "inputSchema": {"type": "object"}}
        search = await seeded.tool(connection, github, "search", definition=told)
        create = await seeded.tool(connection, github, "create")
        find = await seeded.tool(connection, jira, "find")
        installation = await seeded.installation(connection, github, name="Shared account")
    return Known(github, search, create, jira, find, installation)


async def gateway_named(console: Console, slug: str) -> Gateway | None:
    async with transaction(console.pool, readonly=True) as connection:
        return await gateways.named(connection, slug)


async def sales(console: Console, **columns: str) -> str:
    async with transaction(console.pool) as connection:
        return await seeded.gateway(connection, "sales", **columns)


async def shown_by(console: Console, gateway_id: str) -> list[Assignment]:
    async with transaction(console.pool, readonly=True) as connection:
        return await assignments.page(connection, gateway_id, limit=100, after=None)


async def names_on(console: Console, gateway_id: str) -> list[str]:
    return [one.exposed_name for one in await shown_by(console, gateway_id)]


async def admin(console: Console) -> User:
    return await console.person("Ann", "admin")


async def picked(reader: Reader, gateway_id: str, **fields: str) -> tuple[int, str, str]:
    given = {name.replace("__", ":"): value for name, value in fields.items()}
    status, text, where = await reader.post(f"/gateways/{gateway_id}/tools", **given)
    return status, unescape(text), where


async def test_a_gateway_is_made_with_what_stands_under_advanced(console: Console) -> None:
    async with reading(console, await admin(console)) as reader:
        status, _, where = await reader.post(
            "/gateways/new", **NEW, header_allowlist="X-Tenant\r\nx-request-source", instructions="Ask for leads.",
            audit_required="true", labels="stage=test\r\nteam = sales", allowed_clients="https://another.example/client.json",
        )  # fmt: skip
    made = await gateway_named(console, "sales")
    assert made is not None
    assert (status, where) == (303, f"/gateways/{made.id}/tools?said=gateway-made")
    assert made.header_allowlist == ("x-request-source", "x-tenant")
    assert (made.instructions, made.audit_required) == ("Ask for leads.", True)
    assert made.labels == {"stage": "test", "team": "sales"}
    assert made.allowed_clients == ("https://another.example/client.json",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"slug": "Not a slug"}, "Short name must"),
        ({"visibility": "teams"}, "Teams needs at least one team"),
        ({"header_allowlist": "x-tenant\nauthorization"}, "Headers that go on (number 2) authorization"),
        ({"labels": "stage"}, "Labels (number 1) must be name=value."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_with_all_that_was_typed(
    console: Console, fields: dict[str, str], said: str
) -> None:
    usual = {"header_allowlist": "", "labels": "", "description": "Kept as it was typed"}
    async with reading(console, await admin(console)) as reader:
        status, text, _ = await reader.post("/gateways/new", **(NEW | usual | fields))
    assert status == 422
    assert said in unescape(text)
    assert "Kept as it was typed" in text
    if fields.keys() & {"header_allowlist", "labels"}:
        assert re.search(r'<details class="card more" id="advanced" open>', text)


async def test_a_name_in_the_url_that_is_taken_is_said_at_its_field(console: Console) -> None:
    await sales(console)
    async with reading(console, await admin(console)) as reader:
        status, text, _ = await reader.post("/gateways/new", **NEW)
    assert status == 409
    assert "Short name is another gateway's; choose another." in unescape(text)


async def test_a_gateway_is_shown_to_the_teams_that_were_ticked(console: Console) -> None:
    async with transaction(console.pool) as connection:
        red, blue = await seeded.team(connection, "Red"), await seeded.team(connection, "Blue")
    async with reading(console, await admin(console)) as reader:
        await reader.post("/gateways/new", **(NEW | {"visibility": "teams", f"team:{red}": "true"}))
        made = await gateway_named(console, "sales")
        assert made is not None
        assert made.teams == (red,)
        fields = {"visibility": "teams", f"team:{blue}": "true", "version": str(made.version)}
        assert (await reader.post(f"/gateways/{made.id}/edit", **(NEW | fields)))[0] == 303
        _, text = await reader.get(f"/gateways/{made.id}/edit")
        assert re.search(rf'name="team:{blue}" value="true" checked', text)
        assert not re.search(rf'name="team:{red}" value="true" checked', text)


async def test_a_form_of_an_older_version_changes_nothing(console: Console) -> None:
    gateway_id = await sales(console)
    async with reading(console, await admin(console)) as reader:
        status, text, _ = await reader.post(f"/gateways/{gateway_id}/edit", **NEW, version="99")
    assert status == 412
    assert "Somebody else changed this meanwhile" in text


async def test_a_member_makes_a_gateway_of_their_own_and_no_other(console: Console) -> None:
    bea = await console.person("Bea")
    async with reading(console, bea) as reader:
        _, text = await reader.get("/gateways/new")
        assert re.findall(r'<option value="(\w+)" selected', text) == ["personal"]
        assert (await reader.post("/gateways/new", **NEW))[0] == 403
        assert (await reader.post("/gateways/new", **(NEW | {"visibility": "personal"})))[0] == 303
    made = await gateway_named(console, "sales")
    assert made is not None
    assert made.owner_id == bea.id


async def test_an_owner_who_sees_no_identity_provider_leaves_the_one_that_is_set(console: Console) -> None:
    bea = await console.person("Bea")
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "mine", visibility="personal", owner_id=bea.id)
        await connection.execute(
            """insert into identity_providers (id, slug, name, issuer, audiences)
               values ('0198e000-0000-7000-8000-000000000001', 'corp', 'Corp', 'https://id.example.com', '{a}')"""
        )
        await connection.execute(
            """update gateways set identity_provider_id = '0198e000-0000-7000-8000-000000000001',
                   identity_provider_audience = 'a'"""
        )
    async with reading(console, bea) as reader:
        fields = {"name": "Mine too", "slug": "mine", "visibility": "personal"}
        assert (await reader.post(f"/gateways/{gateway_id}/edit", **fields))[0] == 303
    made = await gateway_named(console, "mine")
    assert made is not None
    assert (made.name, made.identity_provider_audience) == ("Mine too", "a")
    assert made.identity_provider_id is not None


async def test_what_was_ticked_is_assigned_with_the_account_that_was_chosen(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with reading(console, await admin(console)) as reader:
        _, text = await reader.get(f"/gateways/{gateway_id}/tools")
        assert "Finds issues ⟨U+202E⟩by words" in text
        fields = {f"tool:{servers.search}": "true", f"tool:{servers.find}": "true", "prefix": "true"}
        fields |= {f"pin:{servers.github}": servers.installation, f"pin:{servers.jira}": ""}
        _, _, where = await picked(reader, gateway_id, **fields)
    assert where == f"/gateways/{gateway_id}/tools?said=tools-saved"
    told = {one.exposed_name: one.installation_id for one in await shown_by(console, gateway_id)}
    assert told == {"github__search": servers.installation, "jira__find": None}


async def test_what_is_no_longer_ticked_goes_and_what_the_page_did_not_show_stays(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        first = await seeded.assignment(connection, gateway_id, servers.search, "search")
        await seeded.assignment(connection, gateway_id, servers.find, "find")
    async with reading(console, await admin(console)) as reader:
        await picked(reader, gateway_id, **{f"was:{servers.search}": first})
    assert await names_on(console, gateway_id) == ["find"]


async def test_all_tools_of_an_entry_are_assigned_and_those_that_are_there_stay_as_they_are(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        await seeded.assignment(connection, gateway_id, servers.search, "look", servers.installation)
    async with reading(console, await admin(console)) as reader:
        await picked(reader, gateway_id, all=servers.github)
        assert await names_on(console, gateway_id) == ["create", "look"]
        await picked(reader, gateway_id, none=servers.github)
    assert await names_on(console, gateway_id) == []


async def test_a_pin_that_may_not_be_is_said_at_its_entry_and_nothing_is_saved(console: Console) -> None:
    servers, gateway_id, bea = await known(console), await sales(console), await console.person("Bea")
    async with transaction(console.pool) as connection:
        own = await seeded.installation(connection, servers.github, user=bea.id, name="Bea's own")
    async with reading(console, await admin(console)) as reader:
        assert "Bea's own" not in unescape((await reader.get(f"/gateways/{gateway_id}/tools"))[1])
        fields = {f"tool:{servers.find}": "true", f"tool:{servers.search}": "true", f"pin:{servers.github}": own}
        status, text, _ = await picked(reader, gateway_id, **fields)
    assert status == 422
    assert re.search(rf'id="pin:{servers.github}-error">This installation belongs to another person', text)
    assert re.search(rf'id="tool:{servers.search}"[^>]* checked', text)
    assert await names_on(console, gateway_id) == []


async def test_what_was_ticked_at_another_search_is_carried_over(console: Console) -> None:
    servers, gateway_id, bea = await known(console), await sales(console), await console.person("Bea")
    async with transaction(console.pool) as connection:
        own = await seeded.installation(connection, servers.github, user=bea.id)
    async with reading(console, await admin(console)) as reader:
        fields = {f"tool:{servers.find}": "true", f"tool:{servers.search}": "true", f"pin:{servers.github}": own}
        _, text, _ = await reader.post(f"/gateways/{gateway_id}/tools?q=search", **fields)
    assert f'<input type="hidden" name="tool:{servers.find}" value="true">' in text
    assert f'id="tool:{servers.find}"' not in text


async def test_tools_are_looked_for_by_name_server_and_description_and_the_search_stands_in_the_address(
    console: Console,
) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        await seeded.assignment(connection, gateway_id, servers.find, "find")
    boxes = {servers.search: "search", servers.create: "create", servers.find: "find"}
    async with reading(console, await admin(console)) as reader:
        for query, found in (
            ("q=JIRA", {"find"}),
            ("q=issues", {"search"}),
            ("q=%25", set()),
            ("shown=yes", {"find"}),
            ("shown=no&entry=github", {"search", "create"}),
        ):
            _, text = await reader.get(f"/gateways/{gateway_id}/tools?{query}")
            assert {boxes[one] for one in re.findall(r'id="tool:([0-9a-f-]{36})"', text)} == found, query
        _, _, where = await reader.post(f"/gateways/{gateway_id}/tools?q=x&cursor=", prefix="true")
        assert where == f"/gateways/{gateway_id}/tools?said=tools-saved&q=x"


async def test_the_list_of_tools_goes_on_behind_a_cursor(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with reading(console, await admin(console)) as reader:
        seen, path = [], f"/gateways/{gateway_id}/tools?limit=1"
        while path:
            _, text = await reader.get(path)
            seen += re.findall(r'id="tool:([0-9a-f-]{36})"', text)
            more = re.search(r'href="([^"]*cursor=[^"]*)" rel="next"', text)
            path = unescape(more[1]) if more else ""
    assert seen == [servers.create, servers.search, servers.find]


async def test_a_name_that_is_taken_is_said_at_its_field(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        first = await seeded.assignment(connection, gateway_id, servers.search, "look")
        await seeded.assignment(connection, gateway_id, servers.find, "find")
    path = f"/gateways/{gateway_id}/tools/{first}"
    async with reading(console, await admin(console)) as reader:
        status, text, _ = await reader.post(path, exposed_name="find", installation="", pinned="")
        assert status == 409
        assert '<p class="error" id="exposed_name-error">Name is taken on this gateway; choose another.' in text
        assert 'value="find"' in text
        status, text, _ = await reader.post(f"{path}/again", exposed_name="find", installation="")
        assert '<p class="error" id="again-name-error">Another name is taken on this gateway' in text
        fields = {"exposed_name": "found", "installation": servers.installation, "pinned": ""}
        assert (await reader.post(path, **fields))[2] == f"/gateways/{gateway_id}?said=tool-saved"
        assert (await reader.post(f"{path}/again", exposed_name="", installation=""))[0] == 303
    told = {one.exposed_name: one.installation_id for one in await shown_by(console, gateway_id)}
    assert told == {"find": None, "found": servers.installation, "github__search": None}


async def test_a_name_is_changed_without_asking_anew_for_the_pin_that_somebody_else_chose(console: Console) -> None:
    servers, bea = await known(console), await console.person("Bea")
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Red")
        gateway_id = await seeded.gateway(connection, "mine", visibility="personal", owner_id=bea.id)
        theirs = await seeded.installation(connection, servers.github, team=team)
        one = await seeded.assignment(connection, gateway_id, servers.search, "look", theirs)
    path = f"/gateways/{gateway_id}/tools/{one}"
    async with reading(console, bea) as reader:
        assert re.search(rf'<option value="{theirs}" selected', (await reader.get(path))[1])
        fields = {"exposed_name": "found", "installation": theirs, "pinned": theirs}
        assert (await reader.post(path, **fields))[0] == 303
        assert (await reader.post(path, **(fields | {"pinned": ""})))[0] == 422


async def test_a_tool_is_taken_off(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        one = await seeded.assignment(connection, gateway_id, servers.search, "look")
    async with reading(console, await admin(console)) as reader:
        assert (await reader.post(f"/gateways/{gateway_id}/tools/{one}/remove"))[0] == 303
        assert (await reader.get(f"/gateways/{gateway_id}/tools/{one}"))[0] == 404
    assert await names_on(console, gateway_id) == []


async def test_a_gateway_says_why_it_cannot_be_used_and_leads_to_what_helps(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with reading(console, await admin(console)) as reader:
        _, text = await reader.get(f"/gateways/{gateway_id}")
        assert "No tool is assigned; assign at least one." in text
        assert f'<a class="button main" href="/gateways/{gateway_id}/tools">Pick tools</a>' in text
        assert "not usable" in (await reader.get("/gateways"))[1]
        async with transaction(console.pool) as connection:
            await seeded.assignment(connection, gateway_id, servers.find, "find")
        _, text = await reader.get(f"/gateways/{gateway_id}")
        assert "resolved at call time, and nobody has a ready installation of its server yet" in text
        assert 'href="/installations">Look at the installations' in text
        async with transaction(console.pool) as connection:
            await seeded.assignment(connection, gateway_id, servers.search, "look", servers.installation)
        _, text = await reader.get(f"/gateways/{gateway_id}")
        assert "usable, with warnings" in text
        assert f'href="/installations/{servers.installation}"><bdi>Shared account' in text


async def test_deleting_says_what_breaks_and_does_it(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        await seeded.assignment(connection, gateway_id, servers.search, "look")
    ann = await admin(console)
    await console.called(gateway_id, ann, "look")
    async with reading(console, ann) as reader:
        _, text = await reader.get(f"/gateways/{gateway_id}")
        assert "1 person who sees it gets 404 at https://mcp.example.com/v1/mcp/sales" in text
        assert "1 tool with the names that were chosen here goes" in text
        assert "it was last called" in text
        assert (await reader.post(f"/gateways/{gateway_id}/delete"))[2] == "/gateways?said=gateway-deleted"
    assert await gateway_named(console, "sales") is None


async def test_whoever_only_sees_a_gateway_changes_nothing(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    async with transaction(console.pool) as connection:
        one = await seeded.assignment(connection, gateway_id, servers.search, "look")
    async with reading(console, await console.person("Bea")) as reader:
        status, text = await reader.get(f"/gateways/{gateway_id}")
        assert status == 200
        assert [word in text for word in ("Pick tools", "/edit", "Delete")] == [False] * 3
        assert (await reader.get(f"/gateways/{gateway_id}/tools/{one}"))[0] == 200
        for path in (f"/gateways/{gateway_id}/edit", f"/gateways/{gateway_id}/tools"):
            assert (await reader.get(path))[0] == 403
        fields = {f"tool:{servers.find}": "true"}
        assert (await picked(reader, gateway_id, **fields))[0] == 403
    assert await names_on(console, gateway_id) == ["look"]


async def test_a_gateway_that_one_does_not_see_is_not_there(console: Console) -> None:
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Red")
        gateway_id = await seeded.gateway(connection, "secret-plans", teams=(team,))
    async with reading(console, await console.person("Bea")) as reader:
        for path in ("", "/edit", "/tools"):
            assert (await reader.get(f"/gateways/{gateway_id}{path}"))[0] == 404
        assert "secret-plans" not in (await reader.get("/gateways"))[1]


async def test_gateways_are_listed_by_label_and_half_a_label_is_told_of(console: Console) -> None:
    async with transaction(console.pool) as connection:
        await seeded.gateway(connection, "sales", labels={"stage": "test"})
        await seeded.gateway(connection, "support")
    async with reading(console, await admin(console)) as reader:
        _, text = await reader.get("/gateways?label=stage%3Dtest")
        assert [">Sales<" in text, ">Support<" in text] == [True, False]
        status, text = await reader.get("/gateways?label=stage")
        assert (status, "Label must be name=value." in text, ">Support<" in text) == (200, True, True)


async def test_only_accounts_are_offered_that_the_person_may_lend(console: Console) -> None:
    servers, bea = await known(console), await console.person("Bea")
    async with transaction(console.pool) as connection:
        team = await seeded.team(connection, "Red", bea.id)
        gateway_id = await seeded.gateway(connection, "mine", visibility="personal", owner_id=bea.id)
        of_team = await seeded.installation(connection, servers.github, team=team)
        own = await seeded.installation(connection, servers.github, user=bea.id, state="needs_sign_in")
    async with reading(console, bea) as reader:
        _, text = await reader.get(f"/gateways/{gateway_id}/tools?entry=github")
    offered = re.findall(r'<option value="([0-9a-f-]{36})"', text)
    assert offered == [servers.installation, own]
    assert of_team not in offered
    assert "(needs sign in)" in text
