"""Pages of gateways over plain HTTP: what clients list, what is there beside tools, and what servers may ask."""

from __future__ import annotations

import re
from html import unescape

from control.store.pool import transaction
from tests.console.serving import Console, reading
from tests.console.test_gateways import NEW, admin, gateway_named, known, names_on, picked, sales
from tests.control import seeded


async def with_offers(console: Console, entry: str) -> tuple[str, str]:
    """All resources and all prompts of the entry's server, as discovery keeps them."""
    async with transaction(console.pool) as connection:
        return (
            await seeded.tool(connection, entry, "all_resources", kind="resources"),
            await seeded.tool(connection, entry, "all_prompts", kind="prompts"),
        )


async def test_how_tools_are_shown_and_what_servers_may_ask_are_saved_and_shown(console: Console) -> None:
    async with reading(console, await admin(console)) as reader:
        _, text = await reader.get("/gateways/new")
        assert re.findall(r'name="ask:(\w+)" value="true"( checked)?', text) == [
            ("elicitation", " checked"),
            ("sampling", ""),
            ("roots", ""),
        ]
        await reader.post(
            "/gateways/new", **NEW, tool_loading="true", **{"ask:sampling": "true", "ask:roots": "true"}
        )
        made = await gateway_named(console, "sales")
        assert made is not None
        assert (made.tool_loading, made.may_ask) == ("search_and_run", ("sampling", "roots"))
        _, text = await reader.get(f"/gateways/{made.id}/edit")
        assert re.search(r'name="tool_loading"[^>]* checked', text)
        assert re.findall(r'name="ask:(\w+)" value="true" checked', text) == ["sampling", "roots"]
        told = facts_of(unescape((await reader.get(f"/gateways/{made.id}"))[1]))
        assert told["How tools are shown"].startswith("when needed: clients list search_tools and run_tool")
        assert told["Servers may ask callers"] == "to ask their model something; for the folders that they work in"
        assert (await reader.post(f"/gateways/{made.id}/edit", **NEW, version=str(made.version)))[0] == 303
        made = await gateway_named(console, "sales")
        assert made is not None
        assert (made.tool_loading, made.may_ask) == ("all", ())
        told = facts_of(unescape((await reader.get(f"/gateways/{made.id}"))[1]))
        assert told["How tools are shown"] == "all of them in the list"
        assert told["Servers may ask callers"] == "nothing"


async def test_another_question_is_refused_at_the_boxes_which_open_advanced(console: Console) -> None:
    async with reading(console, await admin(console)) as reader:
        status, text, _ = await reader.post("/gateways/new", **NEW, **{"ask:everything": "true"})
    assert status == 422
    assert re.search(r'<details class="card more" id="advanced" open>', text)
    assert re.search(r'<p class="error" id="may_ask-error">This \S', text)


async def test_all_tools_of_an_entry_are_not_its_resources_and_prompts(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    resources, prompts = await with_offers(console, servers.github)
    async with reading(console, await admin(console)) as reader:
        _, text = await reader.get(f"/gateways/{gateway_id}/tools?entry=github")
        assert "0 of 2 tools here<" in text
        assert unescape(text).count("as each caller's own account sees them") == 2
        assert set(re.findall(r'id="tool:(\S+)"[^>]* data-pick ?(?:checked)?>', text)) == {resources, prompts}
        await picked(reader, gateway_id, all=servers.github)
        assert await names_on(console, gateway_id) == ["create", "search"]
        _, text = await reader.get(f"/gateways/{gateway_id}/tools?entry=github")
        assert "Assign all" not in text
        await picked(reader, gateway_id, **{f"tool:{prompts}": "true", "prefix": "true"})
        assert await names_on(console, gateway_id) == ["create", "github__all_prompts", "search"]
        _, text = await reader.get(f"/gateways/{gateway_id}/tools?entry=github")
        assert "2 of 2 tools here, and resources or prompts<" in text
        assert "2 tools, and resources or prompts go from" in text
        await picked(reader, gateway_id, none=servers.github)
    assert await names_on(console, gateway_id) == []


async def test_resources_and_prompts_of_a_gateway_are_called_so_and_counted_as_no_tool(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console)
    resources, _prompts = await with_offers(console, servers.github)
    async with transaction(console.pool) as connection:
        one = await seeded.assignment(connection, gateway_id, resources, "github__all_resources")
    label = "all resources, as each caller's own account sees them"
    async with reading(console, await admin(console)) as reader:
        text = unescape((await reader.get(f"/gateways/{gateway_id}"))[1])
        assert label in text
        assert "1 person can use resources or prompts." in text
        assert not re.search(r"\d tools?\b", text)
        text = unescape((await reader.get(f"/gateways/{gateway_id}/tools/{one}"))[1])
        assert facts_of(text)["Shows"] == label
        assert not {"Its own name", "Called with"} & facts_of(text).keys()
        text = unescape((await reader.get(f"/registry/{servers.github}/tools/{resources}"))[1])
        assert f"Not a tool: {label}." in text
        assert "What it takes" not in text
        text = unescape((await reader.get(f"/registry/{servers.github}"))[1])
        assert label in text
        assert facts_of(text)["Gateways"] == "Sales resources or prompts"
        text = unescape((await reader.get("/connect/sales"))[1])
        assert "One address with resources or prompts." in text
        assert "It has resources or prompts: a client that knows such things lists them" in text
        assert re.search(r'<td class="number spare">0</td>', (await reader.get("/gateways"))[1])


async def test_connect_tries_a_search_where_a_client_lists_no_tool_itself(console: Console) -> None:
    servers, gateway_id = await known(console), await sales(console, tool_loading="search_and_run")
    async with transaction(console.pool) as connection:
        await seeded.assignment(connection, gateway_id, servers.search, "look")
    async with reading(console, await admin(console)) as reader:
        text = unescape((await reader.get("/connect/sales"))[1])
    assert "Your client lists two tools, <code>search_tools</code> and <code>run_tool</code>" in text
    assert '"name": "search_tools",' in text
    assert '"arguments": {"query": "look"}' in text


def facts_of(text: str) -> dict[str, str]:
    """The facts of a page by name, as words."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]*>", "", value).split()) for name, value in found}
