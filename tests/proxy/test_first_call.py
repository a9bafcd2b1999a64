"""The straight road: lists and calls, by clients and servers of both eras."""

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import Rig


@pytest.mark.parametrize("era", ["legacy", "legacy-stateless", "modern", "both"])
async def test_clients_of_both_eras_call_a_tool_of_a_server_of_any_era(rig: Rig, era: str) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("greet", Answer(text="hello"))
        await rig.serve([rig.control.tool("s__greet", "greet", rig.control.installation(server.url))])
        session = await rig.open_session()

        modern = await rig.call("s__greet", {"who": "you"}, id="one")
        legacy = await rig.legacy("tools/call", {"name": "s__greet", "arguments": {}}, session=session)

        assert modern.json["id"] == "one"
        assert modern.result["content"] == [{"type": "text", "text": "hello"}]
        assert modern.result["resultType"] == "complete"
        assert legacy.result["content"] == [{"type": "text", "text": "hello"}]
        assert "resultType" not in legacy.result
        assert not server.complaints


async def test_the_list_of_tools_comes_from_memory(rig: Rig) -> None:
    gone = rig.control.installation("http://127.0.0.1:1/mcp")
    await rig.serve([rig.control.tool("b", "b", gone), rig.control.tool("a", "a", gone)])

    modern = await rig.modern("tools/list")
    legacy = await rig.legacy("tools/list")

    assert [tool["name"] for tool in modern.result["tools"]] == ["a", "b"]
    assert modern.result["cacheScope"] == "private"
    assert [tool["name"] for tool in legacy.result["tools"]] == ["a", "b"]


async def test_a_gateway_answers_discover_and_ping_itself(rig: Rig) -> None:
    await rig.serve([])

    discovered = (await rig.modern("server/discover")).result
    ping = await rig.legacy("ping")

    assert discovered["supportedVersions"] == ["2026-07-28"]
    assert ping.result == {}
