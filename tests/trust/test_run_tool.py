"""`run_tool` and `search_tools` are no way around what a gateway shows and allows (row M-1)."""

from __future__ import annotations

from typing import Any

import pytest

from core.mcp.faults import INVALID_PARAMS
from core.snapshot import Visibility
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig

ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


async def call(rig: Rig, era: str, name: str, arguments: dict[str, Any]) -> Reply:
    params = {"name": name, "arguments": arguments}
    if era == "modern":
        return await rig.modern("tools/call", params)
    return await rig.legacy("tools/call", params, session=await rig.open_session())


def told(reply: Reply) -> object:
    """All that the caller is told, but for the request's own identifier."""
    said = reply.json
    said["error"].pop("data")
    return reply.status, said


async def serve_two(rig: Rig, upstream: McpUpstream, **others: Any) -> None:
    """The gateway that is asked, and another with a tool that the first one lacks."""
    held = rig.control.installation(upstream.url, entry="crm")
    await rig.serve([rig.control.tool("crm__find", "echo", held)], tool_loading="search_and_run")
    theirs = [rig.control.tool("crm__erase_everything", "echo", held)]
    await rig.serve(theirs, slug="theirs", tool_loading="search_and_run", **others)


def calls_of(upstream: McpUpstream) -> list[object]:
    return [one for one in upstream.seen_of("tools/call") if not one.prepares]


@ERAS
@pytest.mark.parametrize("name", ["crm__erase_everything", "echo", "crm__FIND"])
@pytest.mark.parametrize("_row", [pytest.param(0, id="M-1: run_tool of an unassigned tool")])
async def test_a_tool_that_is_not_assigned_is_refused_in_the_words_of_a_direct_call(
    rig: Rig, upstream: McpUpstream, era: str, name: str, _row: int
) -> None:
    await serve_two(rig, upstream)
    direct = await call(rig, era, name, {})
    through = await call(rig, era, "run_tool", {"tool_name": name, "tool_args": {}})
    assert told(through) == told(direct)
    assert through.error["code"] == INVALID_PARAMS
    assert calls_of(upstream) == []


@ERAS
@pytest.mark.parametrize("inner", ["run_tool", "search_tools"])
@pytest.mark.parametrize("_row", [pytest.param(0, id="M-1: run_tool of run_tool")])
async def test_neither_of_the_two_is_run_by_run_tool(
    rig: Rig, upstream: McpUpstream, era: str, inner: str, _row: int
) -> None:
    await serve_two(rig, upstream)
    arguments = {"tool_name": "crm__find", "tool_args": {}, "query": "find"}
    reply = await call(rig, era, "run_tool", {"tool_name": inner, "tool_args": arguments})
    unassigned = await call(rig, era, "run_tool", {"tool_name": "nothing", "tool_args": arguments})
    assert reply.error["code"] == unassigned.error["code"] == INVALID_PARAMS
    assert reply.error["message"].replace(inner, "nothing") == unassigned.error["message"]
    assert calls_of(upstream) == []


@ERAS
@pytest.mark.parametrize("visibility", [Visibility("organisation"), Visibility("teams", ["another"])])
@pytest.mark.parametrize("_row", [pytest.param(0, id="M-1: search_tools for tools of another gateway")])
async def test_tools_of_another_gateway_are_not_found(
    rig: Rig, upstream: McpUpstream, era: str, visibility: Visibility, _row: int
) -> None:
    await serve_two(rig, upstream, visibility=visibility)
    for query in ("crm__erase_everything", "erase everything", "crm"):
        reply = await call(rig, era, "search_tools", {"query": query, "limit": 20})
        assert {one["name"] for one in reply.result["structuredContent"]["tools"]} <= {"crm__find"}
