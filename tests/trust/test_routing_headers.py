"""Headers that mirror the body (rows J-7, J-8 and M-4): they must agree with it, and the body alone decides."""

from typing import Any

import pytest

from core.mcp.faults import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION
from core.mcp.versions import LEGACY_VERSIONS, MODERN
from core.snapshot import Rule
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig, modern_request

VERSION = "io.modelcontextprotocol/protocolVersion"
SCHEMA = {
    "type": "object",
    "properties": {"region": {"type": "string"}, "n": {"type": "integer"}},
}
MIRRORED = [("Region", ["region"]), ("N", ["n"])]


async def serve(rig: Rig, upstream: McpUpstream, **fields: Any) -> None:
    held = rig.control.installation(upstream.url)
    tools = [
        rig.control.tool("t", "echo", held),
        rig.control.tool("held", "echo", held),
        rig.control.tool("mirrors", "echo", held, schema=SCHEMA, param_headers=MIRRORED),
    ]
    await rig.serve(tools, **fields)


async def call(
    rig: Rig, headers: dict[str, str | None], tool: str = "t", meta: dict[str, Any] | None = None, **arguments: Any
) -> Reply:
    """A modern call with these headers in place of its own; None leaves one out."""
    message, usual = modern_request("tools/call", {"name": tool, "arguments": arguments}, meta=meta)
    named = {name: value for name, value in (usual | headers).items() if value is not None}
    return await rig.post(message, headers=named)


def refused(reply: Reply, upstream: McpUpstream, code: int) -> bool:
    """With this code at 400, and nothing was sent on."""
    sent = [one for one in upstream.seen_of("tools/call") if not one.prepares]
    return (reply.status, reply.error["code"], sent) == (400, code, [])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("=?base64?dA=?=", id="J-7: wrong padding"),
        pytest.param("=?base64?dP8=?=", id="J-7: non-UTF-8"),
        pytest.param("=?base64?PT9iYXNlNjQ/ZEE9PT89?=", id="J-7: nested sentinel"),
        pytest.param("=?BASE64?dA==?=", id="J-7: case"),
        pytest.param("=?base64??=", id="J-7: empty"),
    ],
)
async def test_a_name_in_a_sentinel_is_read_strictly_and_compared_with_the_body(
    rig: Rig, upstream: McpUpstream, name: str
) -> None:
    await serve(rig, upstream)
    assert refused(await call(rig, {"Mcp-Name": name}), upstream, HEADER_MISMATCH)
    assert (await call(rig, {"Mcp-Name": "=?base64?dA==?="})).result["content"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Mcp-Method": "tools/list"}, id="J-8: Mcp-Method of another method"),
        pytest.param({"Mcp-Method": None}, id="J-8: Mcp-Method missing"),
        pytest.param({"Mcp-Name": "held"}, id="J-8: Mcp-Name of another tool"),
        pytest.param({"Mcp-Name": None}, id="J-8: Mcp-Name missing"),
    ],
)
async def test_a_header_that_says_something_else_than_the_body_is_refused(
    rig: Rig, upstream: McpUpstream, headers: dict[str, str | None]
) -> None:
    await serve(rig, upstream)
    assert refused(await call(rig, headers), upstream, HEADER_MISMATCH)
    assert (await call(rig, {})).result["content"]


@pytest.mark.parametrize(
    ("headers", "arguments"),
    [
        pytest.param({"Mcp-Param-Region": "us"}, {"region": "eu"}, id="J-8: Mcp-Param-* unequal"),
        pytest.param({}, {"region": "eu"}, id="J-8: Mcp-Param-* missing"),
        pytest.param({"Mcp-Param-Region": "eu"}, {}, id="J-8: Mcp-Param-* without its argument"),
        pytest.param({"Mcp-Param-N": "42"}, {"n": 43}, id="J-8: Mcp-Param-* of another number"),
    ],
)
async def test_a_header_that_does_not_mirror_its_argument_is_refused(
    rig: Rig, upstream: McpUpstream, headers: dict[str, str | None], arguments: dict[str, Any]
) -> None:
    await serve(rig, upstream)
    assert refused(await call(rig, headers, "mirrors", **arguments), upstream, HEADER_MISMATCH)


@pytest.mark.parametrize(("header", "argument"), [pytest.param("42", 42.0, id="J-8: 42 and 42.0"), ("42.0", 42)])
async def test_numbers_that_are_equal_mirror_each_other(
    rig: Rig, upstream: McpUpstream, header: str, argument: float
) -> None:
    await serve(rig, upstream)
    assert (await call(rig, {"Mcp-Param-N": header}, "mirrors", n=argument)).result["content"]


@pytest.mark.parametrize("_row", [pytest.param(0, id="J-8: policy reads the body")])
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_header_gets_nobody_past_a_rule(rig: Rig, upstream: McpUpstream, era: str, _row: int) -> None:
    await serve(rig, upstream, rules=[Rule("refuse", "quarantined", ["held"])])
    lie = {"Mcp-Method": "tools/call", "Mcp-Name": "t"}
    if era == "modern":
        assert refused(await call(rig, {**lie}, "held"), upstream, HEADER_MISMATCH)
        return
    # To a legacy client these headers mean nothing.
    called = {"name": "held", "arguments": {}}
    told = await rig.legacy("tools/call", called, session=await rig.open_session(), headers=lie)
    assert told.refusal["code"] == "quarantined"
    assert not [one for one in upstream.seen_of("tools/call") if not one.prepares]


@pytest.mark.parametrize(
    ("header", "in_meta", "code"),
    [
        pytest.param(None, MODERN, HEADER_MISMATCH, id="M-4: absent"),
        pytest.param("2099-01-01", "2099-01-01", UNSUPPORTED_VERSION, id="M-4: unknown"),
        pytest.param("2099-01-01", None, INVALID_PARAMS, id="M-4: unknown, and none in _meta"),
        pytest.param(MODERN, "2025-11-25", HEADER_MISMATCH, id="M-4: differs from _meta"),
        pytest.param("2025-11-25", MODERN, HEADER_MISMATCH, id="M-4: an old one before a modern _meta"),
        pytest.param("2024-10-07", "2024-10-07", UNSUPPORTED_VERSION, id="M-4: an old one that is not listed"),
    ],
)
async def test_a_version_that_is_not_said_twice_alike_and_served_is_refused(
    rig: Rig, upstream: McpUpstream, header: str | None, in_meta: str | None, code: int
) -> None:
    await serve(rig, upstream)
    assert refused(await call(rig, {"MCP-Protocol-Version": header}, meta={VERSION: in_meta}), upstream, code)


@pytest.mark.parametrize("version", [pytest.param(one, id=f"M-4: {one}") for one in LEGACY_VERSIONS])
async def test_a_version_that_is_listed_takes_the_legacy_path(rig: Rig, upstream: McpUpstream, version: str) -> None:
    await serve(rig, upstream)
    session = await rig.open_session(version)
    called = {"name": "t", "arguments": {}}
    told = await rig.legacy("tools/call", called, session=session, headers={"MCP-Protocol-Version": version})
    assert told.result["content"]
