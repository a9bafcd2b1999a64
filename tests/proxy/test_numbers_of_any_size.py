"""Numbers that no double holds, through a whole gateway: every digit arrives, in both directions and both lanes."""

import orjson
import pytest

from core.mcp.versions import MODERN
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.scripted_upstream import ScriptedUpstream, head, ok
from tests.proxy.conftest import Rig, modern_request

WEI = "50000000000000000000"
NUMBERS = [
    WEI,
    "-9223372036854775809",
    "18446744073709551616",
    "0.1234567890123456789012345678901",
    "1e400",
    "1e-400",
]
SSE = head(b"Content-Type: text/event-stream", b"Connection: close")
N_IN_A_HEADER = {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}}


async def posted(rig: Rig, arguments: str, *, meta: str = "", **headers: str) -> bytes:
    """A modern tools/call whose arguments are this text; the answer's bytes."""
    message, named = modern_request("tools/call", {"name": "t", "arguments": "HERE"})
    if meta:
        message["params"]["_meta"]["progressToken"] = "META"
    text = orjson.dumps(message).replace(b'"HERE"', arguments.encode()).replace(b'"META"', meta.encode())
    usual = {"Authorization": f"Bearer {rig.token}", "Content-Type": "application/json"}
    usual["Accept"] = "application/json, text/event-stream"
    async with rig.http.post(rig.url(), data=text, headers=usual | named | headers) as response:
        return await response.read()


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_arguments_reach_the_server_with_every_digit(rig: Rig, era: str) -> None:
    async with McpUpstream(era=era) as server:  # type: ignore[arg-type]  # one of both
        server.tool("t", Answer(text="fine"))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        arguments = f'{{"a":[{",".join(NUMBERS)}],"text":"{WEI}","b":{{"c":{WEI}}}}}'
        for _ in range(2):
            assert b"fine" in await posted(rig, arguments)

        for one in server.seen_of("tools/call"):
            assert f'"arguments":{arguments}'.encode() in one.raw


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("stream", [False, True])
async def test_results_reach_the_caller_with_every_digit(rig: Rig, number: str, stream: bool) -> None:
    result = f'{{"content":[],"structuredContent":{{"a":[{number}],"b":"{number}"}},"resultType":"complete"}}'

    def script(request: bytes) -> list[bytes]:
        asked = orjson.loads(request.partition(b"\r\n\r\n")[2])["id"]
        answer = f'{{"jsonrpc":"2.0","id":{asked},"result":{result}}}'.encode()
        return [SSE, b"data: %b\n\n" % answer] if stream else [ok(answer, b"Content-Type: application/json")]

    async with ScriptedUpstream(script) as server:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url + "/mcp", protocol=MODERN))])
        for _ in range(2):
            assert f'"structuredContent":{{"a":[{number}],"b":"{number}"}}'.encode() in (await rig.call("t")).body


@pytest.mark.parametrize("number", NUMBERS)
async def test_progress_and_its_token_keep_every_digit(rig: Rig, number: str) -> None:
    def script(request: bytes) -> list[bytes]:
        asked = orjson.loads(request.partition(b"\r\n\r\n")[2])
        token = asked["params"]["_meta"]["progressToken"]
        step = f'{{"progressToken":"{token}","progress":{number}}}'
        final = '{"content":[],"resultType":"complete"}'
        messages = [
            f'{{"jsonrpc":"2.0","method":"notifications/progress","params":{step}}}',
            f'{{"jsonrpc":"2.0","id":{asked["id"]},"result":{final}}}',
        ]
        return [SSE, *[f"data: {one}\n\n".encode() for one in messages]]

    async with ScriptedUpstream(script) as server:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url + "/mcp", protocol=MODERN))])
        answer = await posted(rig, "{}", meta=number)
    assert f'"progressToken":{number},"progress":{number}'.encode() in answer


@pytest.mark.parametrize(
    ("argument", "header", "taken"),
    [(WEI, WEI, True), (f"{WEI}.0", WEI, True), (WEI, f"{WEI[:-1]}1", False), (WEI, "5e19", False)],
)
async def test_a_header_mirrors_every_digit(rig: Rig, argument: str, header: str, taken: bool) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="fine"), inputSchema=N_IN_A_HEADER)
        tool = rig.control.tool(
            "t", "t", rig.control.installation(server.url), schema=N_IN_A_HEADER, param_headers=[("N", ["n"])]
        )
        await rig.serve([tool])
        answer = await posted(rig, f'{{"n":{argument}}}', **{"Mcp-Param-N": header})

        assert (b"fine" in answer) is taken
        assert [one.headers["Mcp-Param-N"] for one in server.seen_of("tools/call")] == [WEI] * taken


@pytest.mark.parametrize("number", [WEI, "-9223372036854775809", "1e400", "0.5"])
async def test_an_id_of_a_caller_that_would_change_is_refused_by_name(rig: Rig, number: str) -> None:
    await rig.serve([])
    text = f'{{"jsonrpc":"2.0","id":{number},"method":"ping"}}'
    headers = {"Authorization": f"Bearer {rig.token}", "Content-Type": "application/json"}
    async with rig.http.post(rig.url(), data=text, headers=headers) as response:
        assert response.status == 400
        assert b"64-bit integer" in await response.read()


async def test_a_servers_question_is_answered_under_its_own_id(rig: Rig) -> None:
    ping = orjson.Fragment(f'{{"jsonrpc":"2.0","id":{WEI},"method":"ping"}}')
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(text="fine", before=[ping]))  # type: ignore[list-item]  # written as it is
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert b"fine" in await posted(rig, "{}")
        await server.wait_until(lambda: any(WEI.encode() in one.raw for one in server.seen))
