"""A server answers a call with links that a person must open first (the error -32042 of MCP 2025-11-25)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy import protocol_table as table
from tests.proxy.client_of_era import Client
from tests.proxy.conftest import Rig
from tests.proxy.protocol_table import Cell, Era, row
from tests.proxy.test_offers import offered

LINK = {"mode": "url", "elicitationId": "e-1", "url": "https://idp.example/x", "message": "Sign in"}
TOLD = "server (ours) asks (opens idp.example): Sign in"
CAN = {"elicitation": {"form": {}, "url": {}}}
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


def wants(*links: dict[str, Any]) -> Answer:
    return Answer(error=(-32042, "Open these first", {"elicitations": list(links)}))


async def serve(rig: Rig, server: McpUpstream, *answers: Answer) -> None:
    server.tool("t", answers)
    held = rig.control.installation(server.url, installation="ours")
    await rig.serve([rig.control.tool("t", "t", held)], offers=[offered(rig, "prompts", held)])


@row("links-first")
async def test_a_caller_is_shown_the_links_and_calls_again(rig: Rig, cell: Cell) -> str:
    async with McpUpstream(era=cell.server) as server:
        await serve(rig, server, wants(LINK), Answer(text="done"))
        client = await Client.opened(rig, cell.client, can=CAN)
        told = await client.call("t")
        if cell.client == "legacy":
            assert (told.status, told.error["code"]) == (200, -32042)
            assert told.error["message"] == "server says: Open these first"
            assert told.error["data"]["elicitations"] == [{**LINK, "message": TOLD}]
            done, how = await client.call("t"), table.AS_ERROR
        else:
            ((key, question),) = told.result["inputRequests"].items()
            assert question["params"] == {"mode": "url", "url": LINK["url"], "message": TOLD}
            again = {"inputResponses": {key: {"action": "accept"}}, "requestState": told.result["requestState"]}
            done, how = await client.ask("tools/call", {"name": "t", "arguments": {}, **again}), table.BY_RESULT
        assert done.result["content"][0]["text"] == "done"
        assert "inputResponses" not in server.seen_of("tools/call")[-1].params
        assert server.complaints == []
        return how


@ERAS
async def test_a_prompt_may_want_links_too(rig: Rig, era: Era) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server, Answer(text="done"))
        server.on("prompts/get", wants(LINK))
        told = (await (await Client.opened(rig, era, can=CAN)).ask("prompts/get", {"name": "greet"})).json
        assert "inputRequests" in told["result"] if era == "modern" else told["error"]["code"] == -32042


@ERAS
@pytest.mark.parametrize(
    ("can", "links"),
    [
        ({}, [LINK]),
        ({"elicitation": {}}, [LINK]),
        (CAN, []),
        (CAN, [LINK, {**LINK, "mode": "form"}]),
        (CAN, [LINK, {**LINK, "url": "https://127.0.0.1/"}]),
        (CAN, [LINK] * 17),
        (CAN, ["https://idp.example/x"]),
    ],
)
async def test_what_cannot_be_passed_on_is_told_in_the_servers_words(
    rig: Rig, era: Era, can: dict[str, Any], links: list[Any]
) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server, wants(*links))
        told = await (await Client.opened(rig, era, can=can)).call("t")
        assert told.refusal["code"] == "upstream_error"
        assert "Open these first" in str(told.result["content"])


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_who_says_no_is_not_asked_again(rig: Rig, action: str) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server, wants(LINK))
        client = await Client.opened(rig, "modern", can=CAN)
        told = (await client.call("t")).result
        answers = {"inputResponses": {"link-1": {"action": action}}, "requestState": told["requestState"]}
        again = await client.ask("tools/call", {"name": "t", "arguments": {}, **answers})
        assert again.refusal["code"] == "upstream_error"
