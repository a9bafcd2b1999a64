"""Servers that say that their lists have changed: heard by the worker that listens to them, and told to control."""

from __future__ import annotations

import pytest

from tests.fakes.mcp_upstream import Answer, Era, McpUpstream
from tests.proxy.conftest import MakeRig, Rig, eventually
from tests.proxy.test_offers import offered

TOOLS, PROMPTS = "notifications/tools/list_changed", "notifications/prompts/list_changed"


@pytest.fixture
def way() -> str:
    """Nothing of it is in a lane."""
    return "fast"


async def told(rig: Rig, *heard: tuple[str, str]) -> None:
    """Until control was told exactly this."""

    async def all_of_it() -> bool:
        return rig.control.heard == list(heard)

    await eventually(all_of_it)


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_what_a_server_says_on_its_stream_reaches_control(rig: Rig, era: Era) -> None:
    async with McpUpstream(era=era) as server:
        installation = rig.control.installation(server.url)
        name = installation.installation_id
        rig.control.watched[name] = installation
        rig.worker.watches._doubt.set()
        await told(rig, (name, "tools"))  # it is heard from now on, and was not before
        await server.push({"jsonrpc": "2.0", "method": PROMPTS})
        await told(rig, (name, "tools"), (name, "prompts"))
        assert len(rig.worker.watches) == 1


async def test_a_server_that_says_nothing_by_itself_is_named_to_control_and_left_alone(rig: Rig) -> None:
    async with McpUpstream(era="legacy-stateless") as server:
        installation = rig.control.installation(server.url)
        rig.control.watched[installation.installation_id] = installation
        rig.worker.watches._doubt.set()

        async def named() -> bool:
            rig.worker.watches._doubt.set()
            return rig.control.silent == [installation.installation_id]

        await eventually(named)
        assert rig.control.heard == []


async def test_a_worker_that_ends_ends_its_session_with_the_server(make_rig: MakeRig) -> None:
    async with McpUpstream(era="legacy") as server:
        async with make_rig() as rig:
            installation = rig.control.installation(server.url)
            rig.control.watched[installation.installation_id] = installation
            rig.worker.watches._doubt.set()
            await told(rig, (installation.installation_id, "tools"))
            assert len(server.sessions) == 1

        async def ended() -> bool:
            return not server.sessions

        await eventually(ended)


async def test_what_a_server_says_beside_the_answer_to_a_call_reaches_control_too(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("grow", Answer(text="grown", before=({"jsonrpc": "2.0", "method": TOOLS},)))
        installation = rig.control.installation(server.url)
        await rig.serve([rig.control.tool("grow", "grow", installation)])
        assert (await rig.call("grow")).result["content"][0]["text"] == "grown"
        await told(rig, (installation.installation_id, "tools"))


async def test_what_a_server_says_whenever_it_is_asked_for_a_list_is_no_news(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        says = {"jsonrpc": "2.0", "method": PROMPTS}
        server.on("prompts/list", Answer(result={"prompts": [{"name": "greet"}]}, before=(says,)))
        server.tool("grow", Answer(text="grown", before=({"jsonrpc": "2.0", "method": TOOLS},)))
        installation = rig.control.installation(server.url, entry="crm")
        await rig.serve(
            [rig.control.tool("grow", "grow", installation)], offers=[offered(rig, "prompts", installation)]
        )
        assert [one["name"] for one in (await rig.modern("prompts/list")).result["prompts"]] == ["greet"]
        await rig.call("grow")
        await told(rig, (installation.installation_id, "tools"))
