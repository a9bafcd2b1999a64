"""What a server's schema, or a caller's arguments for it, may cost (row J-9): no connection, no
recursion, no backtracking."""

import io
from typing import Any

import orjson
import pytest

from control.registry.tool_definitions import clean_definition
from core.mcp.faults import INVALID_REQUEST
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig, modern_request

ROW_DEPTH = pytest.param(1 << 20, id="J-9: arguments of 1 MiB in depth")
ROW_BOMB = "J-9: regex bomb in pattern"
ROW_REF = "J-9: $ref to an address"


async def run(rig: Rig, upstream: McpUpstream, schema: dict[str, Any], **arguments: Any) -> Reply:
    """A call by `run_tool`, the one way on which arguments are held against the server's schema here."""
    await rig.serve(
        [rig.control.tool("t", "echo", rig.control.installation(upstream.url), schema=schema)],
        tool_loading="search_and_run",
    )
    return await rig.call("run_tool", {"tool_name": "t", "tool_args": arguments})


@pytest.mark.parametrize("size", [ROW_DEPTH])
@pytest.mark.parametrize("name", ["t", "run_tool"])
async def test_arguments_of_any_depth_are_refused_before_they_are_read(
    rig: Rig, upstream: McpUpstream, name: str, size: int
) -> None:
    await run(rig, upstream, {"type": "object"})
    message, headers = modern_request("tools/call", {"name": name, "arguments": "DEEP"})
    deep = b"[" * (size // 2) + b"]" * (size // 2)
    before, _, after = orjson.dumps(message).partition(b'"DEEP"')
    body = io.BytesIO(before + b'{"a":' + deep + b"}" + after)
    usual = {"Authorization": f"Bearer {rig.token}", "Content-Type": "application/json", "Accept": "application/json"}
    async with rig.http.post(rig.url(), data=body, headers=usual | headers) as told:
        reply = Reply(told.status, dict(told.headers), await told.read())
    assert (reply.status, reply.error["code"]) == (400, INVALID_REQUEST)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda url: {"$ref": url}, id=ROW_REF),
        pytest.param(lambda url: {"properties": {"a": {"$ref": f"{url}#/a"}}}, id=f"{ROW_REF}-in a property"),
        pytest.param(lambda url: {"$schema": url, "type": "object"}, id=f"{ROW_REF}-as its dialect"),
        pytest.param(lambda url: {"$id": url, "$dynamicRef": "#a"}, id=f"{ROW_REF}-as its base"),
    ],
)
async def test_an_address_in_a_schema_is_never_asked(rig: Rig, upstream: McpUpstream, place: Any) -> None:
    async with McpUpstream() as metadata:
        schema = place(metadata.url)
        assert (await run(rig, upstream, schema, a=1)).result["content"][0]["text"] == '{"a":1}'
        assert metadata.seen == []
    kept, notes = clean_definition({"name": "t", "inputSchema": {"type": "object"}, "outputSchema": schema})
    assert ("outputSchema" in kept, len(notes)) == (False, 1)


@pytest.mark.parametrize(
    ("pattern", "judged"),
    [
        pytest.param("^(a+)+$", True, id=ROW_BOMB),
        pytest.param("^(a|a)*$", True, id=f"{ROW_BOMB}-of alternatives"),
        pytest.param("^(?=(a+)+$)a", False, id=f"{ROW_BOMB}-that looks ahead"),
        pytest.param(r"^(a+)\1+$", False, id=f"{ROW_BOMB}-that looks back"),
        pytest.param("^(((a{1,99}){1,99}){1,99}){1,99}$", False, id=f"{ROW_BOMB}-that unfolds"),
    ],
)
async def test_a_pattern_that_never_ends_elsewhere_ends_here(
    rig: Rig, upstream: McpUpstream, pattern: str, judged: bool
) -> None:
    # Matched by going back and trying again, each of these would take longer than the universe is old.
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    told = await run(rig, upstream, schema, a="a" * 50_000 + "!")
    if judged:
        assert told.refusal["code"] == "wrong_arguments"
    else:  # its server judges
        assert told.result["content"][0]["text"].endswith('!"}')
