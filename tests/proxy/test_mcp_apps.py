"""MCP Apps through a gateway: the page that a tool names is read by whoever sees the tool, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from core.snapshot import Rule, Tool
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Rig

BOARD = "ui://board/main.html"
APPS = {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}


def app_server(era: Any = "both", says: str = "<p>board</p>") -> McpUpstream:
    """A server that reads any resource."""
    server = McpUpstream(era=era)
    server.tool("show", Answer(text="shown"))

    def read(received: Received) -> Answer:
        page = {"uri": received.params["uri"], "mimeType": "text/html;profile=mcp-app", "text": says}
        return Answer(result={"contents": [page], "ttlMs": 60_000, "cacheScope": "public"})

    server.on("resources/read", read)
    return server


def shows(rig: Rig, exposed: str, server: McpUpstream, meta: Any = None, **fields: Any) -> Tool:
    """A tool of the server that names a page."""
    tool = rig.control.tool(exposed, "show", rig.control.installation(server.url, **fields))
    tool.definition["_meta"] = {"ui": {"resourceUri": BOARD, "visibility": ["model"]}} if meta is None else meta
    return tool


async def named(rig: Rig) -> dict[str, Any]:
    """By the tool: what its definition says of its page."""
    return {tool["name"]: tool["_meta"] for tool in (await rig.modern("tools/list")).result["tools"]}


async def page(rig: Rig, uri: str) -> str:
    return str((await rig.modern("resources/read", {"uri": uri})).result["contents"][0]["text"])


@pytest.mark.parametrize("meta", [{"ui": {"resourceUri": BOARD}}, {"ui/resourceUri": BOARD}])
async def test_the_page_that_a_tool_names_is_read_though_no_resources_are_offered(rig: Rig, meta: Any) -> None:
    async with app_server() as server:
        await rig.serve([shows(rig, "t", server, meta)])
        assert await named(rig) == {"t": meta}
        told = (await rig.modern("resources/read", {"uri": BOARD})).result
        assert told["contents"][0]["text"] == "<p>board</p>"
        assert told["cacheScope"] == "private"
        assert [one.params["uri"] for one in server.seen_of("resources/read")] == [BOARD]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_legacy_client_reads_it_too(rig: Rig, era: str) -> None:
    async with app_server(era) as server:
        await rig.serve([shows(rig, "t", server)])
        session = await rig.open_session()
        told = (await rig.legacy("resources/read", {"uri": BOARD}, session=session)).result
        assert told["contents"][0]["text"] == "<p>board</p>"


async def test_another_resource_of_the_server_is_not_read(rig: Rig) -> None:
    async with app_server() as server:
        await rig.serve([shows(rig, "t", server)])
        for uri in ("ui://board/other.html", "file:///etc/passwd", BOARD + "?x"):
            told = await rig.modern("resources/read", {"uri": uri})
            assert (told.error["code"], told.error["data"]["uri"]) == (-32602, uri)
        assert server.seen_of("resources/read") == []


@pytest.mark.parametrize("uri", ["file:///secret", "https://example.com/", 3, None])
async def test_what_a_tool_names_is_a_page_only_if_it_is_one_of_an_app(rig: Rig, uri: object) -> None:
    async with app_server() as server:
        await rig.serve([shows(rig, "t", server, {"ui": {"resourceUri": uri}})])
        told = await rig.modern("resources/read", {"uri": "file:///secret"})
        assert (told.status, told.error["code"]) == (404, -32601)


async def test_the_page_of_a_quarantined_tool_is_not_read(rig: Rig) -> None:
    async with app_server() as server:
        other = rig.control.tool("u", "show", rig.control.installation(server.url))
        other.definition["_meta"] = {"ui": {"resourceUri": "ui://other"}}
        await rig.serve([shows(rig, "t", server), other], rules=[Rule("refuse", "quarantined", ["t"])])
        told = await rig.modern("resources/read", {"uri": BOARD})
        assert told.error["code"] == -32602


async def test_a_page_is_read_with_the_tools_own_credential(rig: Rig) -> None:
    async with app_server() as server:
        server.requires = {"authorization": "Bearer of-the-tool"}
        await rig.serve([shows(rig, "t", server, credential_headers=[("Authorization", "Bearer of-the-tool")])])
        assert await page(rig, BOARD) == "<p>board</p>"


async def test_two_servers_that_name_the_same_page_each_show_their_own(rig: Rig) -> None:
    async with app_server(says="<p>a</p>") as a, app_server(says="<p>b</p>") as b:
        await rig.serve([shows(rig, "a__show", a), shows(rig, "b__show", b)])
        told = {name: meta["ui"]["resourceUri"] for name, meta in (await named(rig)).items()}
        assert told == {"a__show": "ui://a__show+board/main.html", "b__show": "ui://b__show+board/main.html"}
        assert [await page(rig, uri) for uri in told.values()] == ["<p>a</p>", "<p>b</p>"]
        assert [one.params["uri"] for one in a.seen_of("resources/read")] == [BOARD]
        assert (await rig.modern("resources/read", {"uri": BOARD})).error["code"] == -32602


async def test_a_gateway_with_pages_says_that_it_has_resources_and_lists_none(rig: Rig) -> None:
    async with app_server() as server:
        await rig.serve([shows(rig, "t", server)])
        assert (await rig.modern("server/discover")).result["capabilities"]["resources"] == {}
        assert (await rig.modern("resources/list")).result["resources"] == []


async def test_a_modern_server_hears_which_pages_the_client_can_show(rig: Rig) -> None:
    async with app_server("modern") as server:
        await rig.serve([shows(rig, "t", server)])
        capabilities = {"extensions": {**APPS, "com.example/other": {}}}
        await rig.call("t", meta={"io.modelcontextprotocol/clientCapabilities": capabilities})
        (seen,) = [one for one in server.seen_of("tools/call") if not one.prepares]
        assert seen.meta["io.modelcontextprotocol/clientCapabilities"] == {"extensions": APPS}
