"""A worker that lags behind refuses new calls on their headers, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from core.tasks import Tasks
from proxy.limits.overload import Overload
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.overload import overloaded
from tests.fakes.raw_http import read_answer, request_bytes
from tests.proxy.conftest import Rig


@pytest.fixture
async def echo(rig: Rig, upstream: McpUpstream) -> McpUpstream:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    return upstream


async def test_a_lagging_worker_refuses_calls_and_one_that_has_recovered_does_not(
    rig: Rig, echo: McpUpstream
) -> None:
    assert (await rig.call("t")).status == 200
    rig.worker.deps.overload = overloaded()
    refused = await rig.call("t")
    assert refused.status == 503
    headers = {name.lower(): value for name, value in refused.headers.items()}
    assert headers["retry-after"] == "1"
    assert refused.error["code"] == -31503
    assert refused.error["data"]["request_id"] == headers["x-request-id"]
    rig.worker.deps.overload = Overload()
    assert (await rig.call("t")).status == 200
    assert len(echo.seen_of("tools/call")) == 2


async def test_it_refuses_before_a_body_or_a_good_token_is_there(rig: Rig) -> None:
    rig.worker.deps.overload = overloaded()
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    headers = [("Host", "127.0.0.1"), ("Content-Length", "1000000"), ("Authorization", "Bearer nobody")]
    writer.write(request_bytes("POST", "/v1/mcp/g", headers))
    assert (await read_answer(reader)).status == 503
    writer.close()


@pytest.mark.parametrize("path", ["/health", "/ready", "/.well-known/oauth-protected-resource/v1/mcp/g"])
async def test_what_is_public_is_answered(rig: Rig, path: str) -> None:
    await rig.serve([], client_auth=["oauth"])
    rig.worker.deps.overload = overloaded()
    async with rig.http.get(f"http://127.0.0.1:{rig.port}{path}") as answer:
        assert answer.status == 200


async def test_streams_begin_go_on_and_sessions_end(rig: Rig, echo: McpUpstream) -> None:
    session = await rig.open_session()
    rig.worker.deps.overload = overloaded()
    headers = {
        "Authorization": f"Bearer {rig.token}",
        "Mcp-Session-Id": session,
        "MCP-Protocol-Version": "2025-11-25",
    }
    async with rig.http.get(rig.url(), headers=headers | {"Accept": "text/event-stream"}) as stream:
        assert stream.status == 200
        async with rig.http.delete(rig.url(), headers=headers) as ended:
            assert ended.status in {200, 202, 204}


async def test_a_call_that_was_taken_before_is_answered(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        held = asyncio.Event()
        server.tool("slow", Answer(text="late", hold=held))
        await rig.serve([rig.control.tool("t", "slow", rig.control.installation(server.url))])
        call = Tasks("test").spawn("caller", rig.call("t"))
        await server.wait_for("tools/call", 1)
        rig.worker.deps.overload = overloaded()
        held.set()
        assert (await call).result["content"][0]["text"] == "late"
