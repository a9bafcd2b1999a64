"""A gateway of a thousand published tools, half of which a caller lacks: no search finds any of that half."""

from __future__ import annotations

import pytest

from core.snapshot import Rule, Tool, Visibility
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Rig
from tests.searched.published import published_tools, questions

IN_ONE_WAY = pytest.mark.parametrize("way", ["fast"])


async def hits(rig: Rig, query: str) -> list[str]:
    asked = {"name": "search_tools", "arguments": {"query": query, "limit": 20}}
    told = (await rig.modern("tools/call", asked)).result["structuredContent"]["tools"]
    return [one["name"] for one in told]


def halves(rig: Rig, upstream: McpUpstream) -> tuple[list[Tool], list[Tool]]:
    """Every other tool, and those between: each question has words of both halves."""
    installation = rig.control.installation(upstream.url, entry="crm")
    tools = []
    for definition in published_tools():
        tool = rig.control.tool(definition["name"], "echo", installation, schema=definition["inputSchema"])
        tool.definition.update(definition)
        tools.append(tool)
    return tools[::2], tools[1::2]


async def none_is_found(rig: Rig, lacking: list[Tool]) -> None:
    names = {one.exposed for one in lacking}
    queries = [question for question, _ in questions()] + [one.exposed for one in lacking[::20]]
    found = [name for query in queries for name in await hits(rig, query)]
    assert len(found) > 10 * len(queries)
    assert names.isdisjoint(found)


@IN_ONE_WAY
async def test_of_tools_that_another_gateway_shows_to_others_none_is_found(rig: Rig, upstream: McpUpstream) -> None:
    ours, theirs = halves(rig, upstream)
    await rig.serve(ours, tool_loading="search_and_run")
    others = Visibility("teams", ["another"])
    await rig.serve(theirs, slug="theirs", visibility=others, tool_loading="search_and_run")
    await none_is_found(rig, theirs)


@IN_ONE_WAY
async def test_of_tools_that_are_quarantined_or_held_back_none_is_found(rig: Rig, upstream: McpUpstream) -> None:
    ours, lacking = halves(rig, upstream)
    names = [one.exposed for one in lacking]
    rules = [Rule("refuse", "quarantined", names[:250]), Rule("refuse", "held_back", names[250:])]
    tools = sorted([*ours, *lacking], key=lambda one: one.exposed)
    await rig.serve(tools, tool_loading="search_and_run", rules=rules)
    await none_is_found(rig, lacking)
