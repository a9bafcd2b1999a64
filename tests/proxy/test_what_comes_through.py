"""Each feature of MCP through a gateway, with clients and servers of either era: the rows of the protocol's page."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import orjson
import pytest

from core.snapshot import Tool
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fakes.task_server import TASKS, TaskServer
from tests.proxy import protocol_table as table
from tests.proxy.client_of_era import LATEST_LEGACY, Client
from tests.proxy.conftest import Rig
from tests.proxy.protocol_table import Cell, row
from tests.proxy.test_offers import offered, prompts, resources

DEFINITION = {
    "title": "A tool",
    "description": "It does.",
    "icons": [{"src": "https://icons.example/t.png", "mimeType": "image/png", "sizes": ["48x48"]}],
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
    "outputSchema": {"type": "object", "properties": {"city": {"type": "string"}}},
    "_meta": {"vendor.example/shown": True},
}
RESULT: dict[str, Any] = {
    "content": [
        {"type": "text", "text": "Ulm", "annotations": {"audience": ["user"]}},
        {"type": "resource_link", "uri": "file:///ulm", "name": "ulm"},
        {"type": "resource", "resource": {"uri": "file:///ulm", "text": "a city"}},
    ],
    "structuredContent": {"city": "Ulm"},
    "isError": False,
    "_meta": {"vendor.example/took": 3},
}
REGION = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
TOKEN = {"progressToken": "p"}
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
WORDS = [{"role": "user", "content": {"type": "text", "text": "Which city?"}}]
FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
LINK = {"mode": "url", "message": "Sign in", "url": "https://idp.example/x", "elicitationId": "1"}
QUESTIONS: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "form": ("elicitation/create", FORM, {"elicitation": {}}, {"action": "accept", "content": {"city": "Ulm"}}),
    "link": ("elicitation/create", LINK, {"elicitation": {"form": {}, "url": {}}}, {"action": "accept"}),
    "sampling": (
        "sampling/createMessage",
        {"messages": WORDS, "maxTokens": 10},
        {"sampling": {}},
        {"role": "assistant", "content": {"type": "text", "text": "Ulm"}, "model": "m"},
    ),
    "roots": ("roots/list", {}, {"roots": {}}, {"roots": [{"uri": "file:///home", "name": "home"}]}),
}
"""By kind: method and parameters of the server's question, what the client declares, and what it answers."""


def tool(rig: Rig, server: McpUpstream, **definition: Any) -> Tool:
    """The server's `t` on the gateway, as its server defines it."""
    made = rig.control.tool("t", "t", rig.control.installation(server.url))
    return msgspec.structs.replace(made, definition={**made.definition, **definition})


def acknowledges(received: Received) -> Answer:
    """A modern server that tells of all that it is asked for, as long as the client is there."""
    told = {
        "notifications": received.params["notifications"],
        "_meta": {"io.modelcontextprotocol/subscriptionId": received.id},
    }
    method = "notifications/subscriptions/acknowledged"
    return Answer(before=[{"jsonrpc": "2.0", "method": method, "params": told}], hold=asyncio.Event())


def methods_of(events: list[Any]) -> list[Any]:
    return [one.get("method", "the answer") for one in events]


@row("tools")
async def test_tools_are_listed_and_answer_as_their_servers_have_it(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(result=RESULT))
        await rig.serve([tool(rig, server, **DEFINITION)])
        client = await Client.opened(rig, cell.client)
        (listed,) = (await client.ask("tools/list")).result["tools"]
        told = (await client.call("t", {"n": 1}, meta={"vendor.example/asked": 1})).result
        (seen,) = server.seen_of("tools/call")
        assert (seen.arguments, seen.meta["vendor.example/asked"]) == ({"n": 1}, 1)
        assert server.complaints == []
        assert ("resultType" in told) == (cell.client == "modern")
        same = listed == {"name": "t", "inputSchema": {"type": "object"}, **DEFINITION}
        told["_meta"].pop("io.modelcontextprotocol/serverInfo", None)
        return table.YES if same and told.items() >= RESULT.items() else table.NO


@row("param-headers")
async def test_arguments_are_mirrored_in_headers_where_an_era_has_them(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(text="done"))
        one = tool(rig, server, inputSchema=REGION)
        await rig.serve([msgspec.structs.replace(one, param_headers=[("Region", ["region"])])])
        client = await Client.opened(rig, cell.client)
        wrong = await client.call("t", {"region": "south"}, headers={"Mcp-Param-Region": "north"})
        checked = wrong.json.get("error", {}).get("code") == -32020
        assert (await client.call("t", {"region": "süd"}, headers={"Mcp-Param-Region": "=?base64?c8O8ZA==?="})).result
        sent = server.seen_of("tools/call")[-1].headers.get("Mcp-Param-Region") == "=?base64?c8O8ZA==?="
        said = [word for word, so in (("checked", checked), ("sent to the server", sent)) if so]
        return " and ".join(said) or table.NO_SUCH_THING


@row("progress")
async def test_progress_goes_to_the_call_that_asked_for_it(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(text="done", progress=2))
        await rig.serve([tool(rig, server)])
        client = await Client.opened(rig, cell.client)
        told = (await client.call("t", meta=TOKEN)).events
        assert {one["params"]["progressToken"] for one in told[:-1]} == {"p"}
        come = methods_of(told) == ["notifications/progress"] * 2 + ["the answer"]
        return table.YES if come and (await client.call("t")).result else table.NO


@row("logs")
async def test_what_a_server_logs_is_heard_from_the_level_on_that_a_client_says(rig: Rig, cell: Cell) -> str:
    logged = [
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": level}}
        for level in ("debug", "warning", "error")
    ]
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(text="done", before=logged))
        await rig.serve([tool(rig, server)])
        client = await Client.opened(rig, cell.client)
        if cell.client == "legacy":
            assert (await client.ask("logging/setLevel", {"level": "warning"})).result == {}
        told = await client.call("t", meta={LOG_LEVEL: "warning"} if cell.client == "modern" else None)
        heard = [one["params"]["data"] for one in told.events[:-1]]
        return table.YES if heard == ["warning", "error"] else table.NO


@row("cancelling")
async def test_a_client_that_cancels_ends_the_call_at_its_server(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(hold=asyncio.Event()))
        await rig.serve([tool(rig, server)])
        client = await Client.opened(rig, cell.client)
        call = client.begin("t")
        await server.wait_for("tools/call")
        await client.cancel(call)
        (seen,) = server.seen_of("tools/call")
        if cell.server == "modern":
            await server.wait_until(lambda: seen.abandoned)
            return table.YES
        await server.wait_for("notifications/cancelled")
        (said,) = server.seen_of("notifications/cancelled")
        return table.YES if said.params["requestId"] == seen.id else table.NO


@row("resources")
async def test_resources_are_listed_and_read_by_template_too(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        resources(server, "file:///notes", templates=("crm://{id}",))
        await rig.serve([], offers=[offered(rig, "resources", rig.control.installation(server.url))])
        client = await Client.opened(rig, cell.client)
        listed = (await client.ask("resources/list")).result["resources"]
        templates = (await client.ask("resources/templates/list")).result["resourceTemplates"]
        read = [
            (await client.ask("resources/read", {"uri": uri})).result["contents"][0]["uri"]
            for uri in ("file:///notes", "crm://7")
        ]
        assert server.complaints == []
        told = [listed[0]["uri"], templates[0]["uriTemplate"], *read]
        return table.YES if told == ["file:///notes", "crm://{id}", "file:///notes", "crm://7"] else table.NO


@row("prompts")
async def test_prompts_are_listed_and_got_with_arguments(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        prompts(server, "greet")
        await rig.serve([], offers=[offered(rig, "prompts", rig.control.installation(server.url))])
        client = await Client.opened(rig, cell.client)
        (listed,) = (await client.ask("prompts/list")).result["prompts"]
        got = (await client.ask("prompts/get", {"name": listed["name"], "arguments": {"who": "Ada"}})).result
        assert server.complaints == []
        return table.YES if got["messages"][0]["content"]["text"].endswith("greet {'who': 'Ada'}") else table.NO


@row("completion")
async def test_arguments_of_prompts_and_templates_are_completed(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        prompts(server, "greet")
        resources(server, templates=("crm://{id}",))
        server.on("completion/complete", Answer(result={"completion": {"values": ["ulm"], "total": 1}}))
        held = rig.control.installation(server.url)
        await rig.serve([], offers=[offered(rig, "prompts", held), offered(rig, "resources", held)])
        client = await Client.opened(rig, cell.client)
        refs = [{"type": "ref/prompt", "name": "greet"}, {"type": "ref/resource", "uri": "crm://{id}"}]
        for ref in refs:
            wanted = {"ref": ref, "argument": {"name": "id", "value": "u"}}
            assert (await client.ask("completion/complete", wanted)).result["completion"]["values"] == ["ulm"]
        return table.YES if [one.params["ref"] for one in server.seen_of("completion/complete")] == refs else table.NO


@row("questions")
@pytest.mark.parametrize("kind", QUESTIONS)
async def test_a_server_asks_in_the_middle_of_a_call(rig: Rig, cell: Cell, kind: str) -> str:
    method, params, can, answer = QUESTIONS[kind]

    def says(answered: Any) -> Answer:
        return Answer(text=orjson.dumps(answered).decode())

    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(asks=(method, params), then=says))
        await rig.serve([tool(rig, server)], may_ask=["elicitation", "sampling", "roots"])
        client = await Client.opened(rig, cell.client, can=can)
        call = {"name": "t", "arguments": {}}
        if cell.client == "legacy":
            async with client.events("tools/call", call) as messages:
                question = await anext(messages)
                await client.answer(question, answer)
                told, how = (await anext(messages))["result"], table.ON_STREAM
            assert len(server.seen_of("tools/call")) == (1 if cell.server == "legacy" else 2)
        else:
            asked = (await client.ask("tools/call", call)).result
            ((key, question),) = asked["inputRequests"].items()
            again = {**call, "inputResponses": {key: answer}, "requestState": asked["requestState"]}
            told = (await client.ask("tools/call", again)).result
            how = table.WAITS if len(server.seen_of("tools/call")) == 1 else table.BY_RESULT
        assert question["method"] == method
        assert orjson.loads(told["content"][0]["text"]) in (answer, {"question": answer})
        return how


@row("news-of-lists")
async def test_a_client_hears_that_a_list_has_changed(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        await rig.serve([tool(rig, server)])
        client = await Client.opened(rig, cell.client)
        async with client.listening({"toolsListChanged": True}) as news:
            if cell.client == "modern":
                assert (await anext(news))["method"] == "notifications/subscriptions/acknowledged"
            await rig.serve([])
            told = await asyncio.wait_for(anext(news), 30)
        assert told["method"] == "notifications/tools/list_changed"
        return table.GET_STREAM if cell.client == "legacy" else table.LISTEN


@row("news-of-one")
async def test_a_client_subscribes_to_news_of_one_resource(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server, capabilities={"resources": {"subscribe": True}}) as server:
        resources(server, "file:///notes")
        server.on("resources/subscribe", Answer(result={}))
        server.on("subscriptions/listen", acknowledges)
        await rig.serve([], offers=[offered(rig, "resources", rig.control.installation(server.url))])
        client = await Client.opened(rig, cell.client)
        if cell.client == "legacy":
            reply = await client.ask("resources/subscribe", {"uri": "file:///notes"})
            return table.GET_STREAM if reply.json.get("result") == {} else table.NO
        async with client.listening({"resourceSubscriptions": ["file:///notes"]}) as news:
            granted = (await anext(news))["params"]["notifications"]
        return table.LISTEN if granted.get("resourceSubscriptions") == ["file:///notes"] else table.NO


@row("app-pages")
async def test_the_page_of_a_tool_is_read(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        resources(server)
        shows = tool(rig, server, _meta={"ui": {"resourceUri": "ui://board/main.html"}})
        await rig.serve([shows])
        client = await Client.opened(rig, cell.client)
        (listed,) = (await client.ask("tools/list")).result["tools"]
        uri = listed["_meta"]["ui"]["resourceUri"]
        read = (await client.ask("resources/read", {"uri": uri}, headers={"Mcp-Name": uri})).result
        return table.YES if read["contents"][0]["text"].startswith(str(server.port)) else table.NO


@row("tasks")
async def test_a_call_becomes_a_task_where_both_sides_know_them(rig: Rig, cell: Cell) -> str:
    async with TaskServer() if cell.server == "modern" else McpUpstream(era="legacy") as server:
        if cell.server == "legacy":
            server.tool("slow", Answer(text="done"))
        await rig.serve([rig.control.tool("t", "slow", rig.control.installation(server.url))])
        client = await Client.opened(rig, cell.client, can={"extensions": {TASKS: {}}})
        task = (await client.call("t")).result.get("taskId", "t-1")
        told = (await client.ask("tasks/get", {"taskId": task}, headers={"Mcp-Name": task})).json
        return table.YES if told.get("result", {}).get("taskId") == task else table.NO


@row("asked-outside")
async def test_what_a_server_asks_outside_of_a_call_is_refused(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(text="done"))
        await rig.serve([tool(rig, server)])
        client = await Client.opened(rig, cell.client, can={"elicitation": {}})
        assert (await client.call("t")).result
        heard_by = await server.push({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": FORM})
        if cell.server == "modern":
            assert heard_by == 0
            return table.NO_SUCH_THING
        await server.wait_until(lambda: answers_to(server, "q") != [])
        assert [answer["error"]["code"] for answer in answers_to(server, "q")] == [-32601]
        return table.NO


def answers_to(server: McpUpstream, question: str) -> list[Any]:
    """What a legacy server was answered to its question."""
    bodies = [one.body for one in server.seen if isinstance(one.body, dict)]
    return [body for body in bodies if body.get("id") == question and "method" not in body]


@row("batches")
async def test_batches_are_answered_in_sessions_of_their_revision_alone(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        server.tool("t", Answer(text="done"))
        await rig.serve([tool(rig, server)])

        async def answers(version: str) -> list[Any]:
            client = await Client.opened(rig, cell.client, version=version)
            calls = [client.request("tools/call", {"name": "t", "arguments": {}}, id=one) for one in ("a", "b")]
            reply = await rig.post([message for message, _ in calls], headers=calls[0][1])
            return sorted(one["id"] for one in reply.json) if isinstance(reply.json, list) else []

        assert await answers(LATEST_LEGACY) == []
        return table.IN_SESSIONS if await answers(table.BATCH_REVISION) == ["a", "b"] else table.NO_SUCH_THING
