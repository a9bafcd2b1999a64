"""Large and deep results through a whole gateway: as JSON, as the last event of a stream, to callers of each era."""

import json

import orjson
import pytest

from core.mcp.versions import MODERN
from tests.fakes.scripted_upstream import ScriptedUpstream, head
from tests.proxy.conftest import Rig

SSE = head(b"Content-Type: text/event-stream", b"Connection: close")
DEEP = json.loads("[" * 150 + "]" * 150)
RESULTS = {
    "large": {"content": [{"type": "text", "text": "x" * (2 << 20)}], "structuredContent": {"a": [1, {"b": [DEEP]}]}},
    "wide": {"content": [], "structuredContent": {"a": [{"n": n} for n in range(150_000)]}},
    "links": {
        "content": [
            {"type": "resource_link", "uri": "a:b", "name": "a plan"},
            {"type": "text", "text": "x" * (2 << 20)},
        ]
    },
    "small": {"content": [], "structuredContent": {"a": DEEP}},
}


def on_many_lines(request: bytes, result: object, progress: bool) -> list[bytes]:
    """A stream whose messages are written on many lines, as `data` of one event may be."""
    asked = orjson.loads(request.partition(b"\r\n\r\n")[2])
    messages: list[object] = [{"jsonrpc": "2.0", "id": asked["id"], "result": result}]
    if progress:
        params = {"progressToken": asked["params"]["_meta"]["progressToken"], "progress": 1}
        messages.insert(0, {"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
    events = [
        b"".join(b"data: %b\n" % line for line in json.dumps(one, indent=1).encode().split(b"\n")) + b"\n"
        for one in messages
    ]
    return [SSE, b"".join(events)]


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("progress", [False, True])
async def test_a_result_on_many_lines_is_one_event_or_one_body(rig: Rig, name: str, progress: bool) -> None:
    async with ScriptedUpstream(lambda request: on_many_lines(request, RESULTS[name], progress)) as server:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url + "/mcp", protocol=MODERN))])
        meta = {"progressToken": "mine"} if progress else {}
        answered = await rig.call("t", meta=meta)

    answers = answered.events if progress else [answered.json]
    assert len(answers) == 1 + progress
    result = answers[-1]["result"]
    assert {member: result[member] for member in RESULTS[name]} == RESULTS[name]
    assert answered.body.count(b"\n") == (4 if progress else 0)


@pytest.mark.parametrize(("version", "kept"), [("2025-11-25", True), ("2025-03-26", False)])
async def test_a_link_in_a_large_result_is_text_where_links_are_not_known(rig: Rig, version: str, kept: bool) -> None:
    async with ScriptedUpstream(lambda request: on_many_lines(request, RESULTS["links"], progress=False)) as server:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url + "/mcp", protocol=MODERN))])
        session = await rig.open_session(version)
        headers = {"MCP-Protocol-Version": version}
        reply = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session, headers=headers)

    first = reply.result["content"][0]
    assert first == (RESULTS["links"]["content"][0] if kept else {"type": "text", "text": "a plan: a:b"})  # type: ignore[index]  # as above
