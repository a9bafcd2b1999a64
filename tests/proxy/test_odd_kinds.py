"""A list or an object where the protocol has a word or a number: the answer says so, and nothing breaks here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.task_server import TASKS, TaskServer
from tests.proxy.client_of_era import Client
from tests.proxy.conftest import Rig
from tests.proxy.test_offers import asked, offered, resources

ODD = [pytest.param([], id="list"), pytest.param({}, id="object")]
META: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}}}


@pytest.mark.parametrize("odd", ODD)
async def test_a_task_whose_state_is_no_word_is_a_broken_answer(rig: Rig, odd: Any) -> None:
    async with TaskServer() as server:
        await rig.serve([rig.control.tool("t", "slow", rig.control.installation(server.url))])
        server.begun["status"] = odd
        reply = await rig.call("t", meta=META)
    assert reply.status == 200
    assert reply.result["isError"] is True


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_block_whose_type_is_no_word_is_passed_on_beside_others(rig: Rig, era: Any, odd: Any) -> None:
    """Two servers offer resources: so URIs in results are looked for."""
    async with McpUpstream(era=era) as one, McpUpstream(era=era) as other:
        held = [rig.control.installation(server.url, entry=name) for server, name in ((one, "crm"), (other, "wiki"))]
        for server in (one, other):
            resources(server, "file:///x")
        one.tool("t", Answer(result={"content": [{"type": odd}, {"type": "resource_link", "uri": "a://b"}]}))
        tool = rig.control.tool("t", "t", held[0])
        await rig.serve([tool], offers=[offered(rig, "resources", it) for it in held])
        reply = await (await Client.opened(rig, era)).call("t")
    assert reply.status == 200
    assert reply.result["content"][0] == {"type": odd}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_an_error_whose_code_is_no_number_is_the_servers_error(rig: Rig, era: str, odd: Any) -> None:
    async with McpUpstream(era=era) as server:  # type: ignore[arg-type]
        held = rig.control.installation(server.url, entry="crm")
        resources(server, "file:///x")
        server.on("resources/read", Answer(error=(odd, "no")))
        await rig.serve([], offers=[offered(rig, "resources", held)])
        reply = await asked(rig, era, "resources/read", uri="file:///x")
    assert "crm" in reply.error["message"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_reference_whose_type_is_no_word_is_a_wrong_parameter(rig: Rig, era: str, odd: Any) -> None:
    async with McpUpstream(era=era) as server:  # type: ignore[arg-type]
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "resources", held)])
        reply = await asked(rig, era, "completion/complete", ref={"type": odd, "uri": "a://b"}, argument={})
    assert reply.error["code"] == -32602
