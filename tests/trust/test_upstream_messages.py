"""What an upstream may put beside its answer (row M-6): refused or dropped by rule, and written again."""

import json
from typing import Any

import pytest

from core.mcp.versions import MODERN
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.scripted_upstream import FOREVER, ScriptedUpstream, head
from tests.proxy.conftest import MakeRig, Rig

SSE = head(b"Content-Type: text/event-stream", b"Connection: close")
LOG = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}


async def one_tool(rig: Rig, url: str, **fields: Any) -> None:
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(url, **fields))])


def request_id(request: bytes) -> int:
    return int(json.loads(request.partition(b"\r\n\r\n")[2])["id"])


def final(request: bytes, text: str = "fine") -> dict[str, Any]:
    result = {"content": [{"type": "text", "text": text}], "resultType": "complete"}
    return {"jsonrpc": "2.0", "id": request_id(request), "result": result}


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: JSON-RPC request of a modern upstream")])
async def test_a_modern_upstream_that_asks_ends_its_call(rig: Rig, _row: int) -> None:
    asks = {"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {"secret": "question"}}
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="after", before=[asks]))
        await one_tool(rig, server.url)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_broken"
        assert b"question" not in refused.body


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: JSON-RPC request of a legacy upstream")])
async def test_a_legacy_upstream_is_told_that_we_offer_nothing_but_a_pong(rig: Rig, _row: int) -> None:
    ping = {"jsonrpc": "2.0", "id": "p", "method": "ping"}
    asks = {"jsonrpc": "2.0", "id": "q", "method": "roots/list"}
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(text="after", before=[ping, asks]))
        await one_tool(rig, server.url)

        answered = await rig.call("t")
        await server.wait_until(lambda: len([one for one in server.seen if one.id in {"p", "q"}]) == 2)

        replies = {one.id: one.body for one in server.seen if one.id in {"p", "q"}}
        assert answered.result["content"][0]["text"] == "after"
        assert replies["p"]["result"] == {}
        assert replies["q"]["error"]["code"] == -32601


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: JSON-RPC request of a legacy upstream")])
async def test_a_legacy_upstream_that_does_not_stop_asking_ends_its_call(rig: Rig, _row: int) -> None:
    asks = [{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in range(40)]
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(text="after", before=asks))
        await one_tool(rig, server.url)

        assert (await rig.call("t")).refusal["code"] == "upstream_broken"


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: wrong id")])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_to_another_id_is_nobodys(rig: Rig, stream: bool, _row: int) -> None:
    async with McpUpstream(era="both") as server:
        server.tool("t", Answer(text="foreign", wrong_id=True, stream=stream))
        await one_tool(rig, server.url)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_broken"
        assert b"foreign" not in refused.body


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: 2 finals")])
async def test_of_two_finals_the_first_counts(rig: Rig, _row: int) -> None:
    async with McpUpstream(era="both") as server:
        server.tool("t", Answer(text="once", finals=2, progress=1))
        await one_tool(rig, server.url)

        events = (await rig.call("t", meta={"progressToken": "mine"})).events

        assert [event.get("id") for event in events] == [None, 1]


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: 10**6 notifications")])
async def test_a_flood_of_notifications_is_dropped_and_ended(make_rig: MakeRig, _row: int) -> None:
    flood = b"data: " + json.dumps(LOG).encode() + b"\n\n"
    async with make_rig(call_seconds=60) as rig, ScriptedUpstream([SSE, flood * 1000, FOREVER]) as server:
        await one_tool(rig, server.url + "/mcp", protocol=MODERN)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_too_large"
        assert not refused.events


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: event over the cap")])
async def test_an_event_beyond_the_cap_ends_the_call(make_rig: MakeRig, _row: int) -> None:
    async with make_rig(max_answer=1 << 20) as rig, ScriptedUpstream([SSE, b"data: " + b"x" * 65536, FOREVER]) as big:
        await one_tool(rig, big.url + "/mcp", protocol=MODERN)

        assert (await rig.call("t")).refusal["code"] == "upstream_too_large"


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: retry: and id: lines")])
async def test_the_fields_of_an_upstreams_stream_stay_behind(rig: Rig, _row: int) -> None:
    def script(request: bytes) -> list[bytes]:
        token = json.loads(request.partition(b"\r\n\r\n")[2])["params"]["_meta"]["progressToken"]
        step = {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": token, "progress": 1},
        }
        lines = b"retry: 1\nid: theirs\nevent: message\ndata: %b\n\nevent: evil\ndata: %b\n\nid: 2\ndata: %b\n\n"
        evil = final(request, "evil")
        return [SSE, lines % tuple(json.dumps(one).encode() for one in (step, evil, final(request)))]

    async with ScriptedUpstream(script) as server:
        await one_tool(rig, server.url + "/mcp", protocol=MODERN)

        answered = await rig.call("t", meta={"progressToken": 7})

        assert [event.get("id") for event in answered.events] == [None, 1]
        for word in (b"retry", b"theirs", b"evil", b"event:", b"id: 2"):
            assert word not in answered.body


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-6: CR tricks")])
async def test_line_ends_within_a_message_forge_no_second_event(rig: Rig, _row: int) -> None:
    """Bare CRs end lines for some readers: what goes on is one `data:` line, whatever came."""

    def script(request: bytes) -> list[bytes]:
        whole = json.dumps(final(request, "a\r\rdata: {}\r\n\r\nb")).encode()
        first, second = whole[: len(whole) // 2 + 1], whole[len(whole) // 2 + 1 :]
        assert first + second == whole
        token = json.loads(request.partition(b"\r\n\r\n")[2])["params"]["_meta"]["progressToken"]
        step = {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": token, "progress": 1, "message": "x\r\rdata: forged\r\r"},
        }
        return [SSE, b"data: " + json.dumps(step).encode() + b"\r\rdata: " + whole + b"\r\r"]

    async with ScriptedUpstream(script) as server:
        await one_tool(rig, server.url + "/mcp", protocol=MODERN)

        answered = await rig.call("t", meta={"progressToken": 7})

        assert b"\r" not in answered.body
        assert answered.body.count(b"\n") == 4
        assert answered.events[1]["result"]["content"][0]["text"] == "a\r\rdata: {}\r\n\r\nb"
