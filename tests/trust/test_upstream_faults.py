"""An upstream that fails in every way that a byte stream can (row F-7): the caller is told which, in time, and nobody
else suffers."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from core.mcp.versions import MODERN
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.scripted_upstream import CLOSE, FOREVER, HANG, RESET, Script, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig

DEADLINE_S = 60.0
SOON_S = 30.0
"""For all that has no deadline to wait for: a tenth of a second on a quiet machine."""
CAP = 1 << 20
TEN_MIB = 10 << 20
BOMB = gzip.compress(b" " * (32 << 20), 1)

JSON_TYPE = b"Content-Type: application/json"
SSE = head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")


def answer_to(request_id: object, text: str = "fine") -> bytes:
    result = {"content": [{"type": "text", "text": text}], "resultType": "complete"}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def at_first(wrong: Callable[[object], Script]) -> ScriptedUpstream:
    """Its first answer is wrong in a way that may depend on the request's id; every later one is right."""

    def id_of(request: bytes) -> object:
        return json.loads(request.partition(b"\r\n\r\n")[2])["id"]

    return ScriptedUpstream(
        lambda request: wrong(id_of(request)), lambda request: [ok(answer_to(id_of(request)), JSON_TYPE)]
    )


FAULTS: list[tuple[str, Callable[[object], Script], str]] = [
    ("hang", lambda _: [HANG], "upstream_slow"),
    (
        "1 byte every 200 ms",
        lambda _: [head(b"Content-Length: 99", JSON_TYPE), *[b"x", 0.2] * 3, HANG],
        "upstream_slow",
    ),
    (
        "reset mid-stream",
        lambda _: [SSE, chunk(b'data: {"jsonrpc"'), 0.05, RESET],
        "upstream_broken",
    ),
    ("truncated chunk", lambda _: [SSE, b"ff\r\ndata: {", CLOSE], "upstream_broken"),
    ("garbage", lambda _: [b"\x00\xff\x13garbage\r\n\r\n", HANG], "upstream_broken"),
    (
        "CL and TE",
        lambda one: [head(JSON_TYPE, b"Content-Length: 5", b"Transfer-Encoding: chunked"), chunk(answer_to(one))],
        "upstream_broken",
    ),
    (
        "endless body",
        lambda _: [head(JSON_TYPE, b"Transfer-Encoding: chunked"), chunk(b" " * 65536), FOREVER],
        "upstream_too_large",
    ),
    (
        "gzip bomb",
        lambda _: [ok(BOMB, JSON_TYPE, b"Content-Encoding: gzip")],
        "upstream_too_large",
    ),
    ("wrong JSON-RPC id", lambda _: [ok(answer_to("another"), JSON_TYPE)], "upstream_broken"),
    ("redirect", lambda _: [ok(b"", b"Location: http://127.0.0.1:1/mcp", status=b"307 Moved")], "upstream_status"),
]


@pytest.mark.parametrize(
    ("wrong", "reason"), [pytest.param(wrong, reason, id=f"F-7: {name}") for name, wrong, reason in FAULTS]
)
async def test_a_broken_answer_is_named_in_time_and_touches_nobody_else(
    make_rig: MakeRig, upstream: McpUpstream, clock: MovedClock, wrong: Callable[[object], Script], reason: str
) -> None:
    async with make_rig(call_seconds=DEADLINE_S, max_answer=CAP) as rig, at_first(wrong) as broken:
        away = rig.control.installation(broken.url + "/mcp", protocol=MODERN)
        good = rig.control.installation(upstream.url)
        await rig.serve([rig.control.tool("bad", "t", away), rig.control.tool("good", "echo", good)])
        await rig.call("good")

        tracemalloc.start()
        async with asyncio.timeout(DEADLINE_S + SOON_S), asyncio.TaskGroup() as tasks:
            bad = tasks.create_task(rig.call("bad"))
            beside = await rig.call("good", {"n": 1})
            if reason == "upstream_slow":
                await broken.hangs()
                clock.pass_by(DEADLINE_S)
            async with asyncio.timeout(SOON_S):
                refused = await bad
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert refused.result["isError"]
        assert refused.refusal["code"] == reason
        assert refused.refusal["server"] == "server"
        assert beside.result["content"][0]["text"] == '{"n":1}'
        assert peak < CAP + TEN_MIB
        await the_next_call_is_clean(rig, broken)


async def the_next_call_is_clean(rig: Any, broken: ScriptedUpstream) -> None:
    """On a connection of its own: the one with the fault is spent."""
    assert (await rig.call("bad")).result["content"][0]["text"] == "fine"
    assert broken.connections == 2


@pytest.mark.parametrize("_row", [pytest.param(0, id="F-7: refused")])
async def test_a_server_that_is_not_there_is_refused_at_once(
    make_rig: MakeRig, upstream: McpUpstream, _row: int
) -> None:
    async with make_rig(call_seconds=DEADLINE_S) as rig:
        nobody = rig.control.installation("http://127.0.0.1:1/mcp", protocol=MODERN)
        good = rig.control.installation(upstream.url)
        await rig.serve([rig.control.tool("bad", "t", nobody), rig.control.tool("good", "echo", good)])

        refused = await rig.call("bad")

        assert refused.refusal["code"] == "upstream_refused"
        assert refused.refusal["retryable"] is True
        assert "127.0.0.1" not in refused.result["content"][0]["text"]
        assert (await rig.call("good")).result["content"]


@pytest.mark.parametrize("_row", [pytest.param(0, id="F-7: two answers")])
async def test_the_second_of_two_answers_is_never_read(make_rig: MakeRig, _row: int) -> None:
    def twice(request_id: object) -> Script:
        first, second = answer_to(request_id, "first"), answer_to(request_id, "second")
        return [SSE, chunk(b"data: " + first + b"\n\ndata: " + second + b"\n\n"), b"0\r\n\r\n"]

    async with make_rig(call_seconds=DEADLINE_S) as rig, at_first(twice) as broken:
        await rig.serve(
            [rig.control.tool("bad", "t", rig.control.installation(broken.url + "/mcp", protocol=MODERN))]
        )

        answered = await rig.call("bad")

        assert answered.result["content"][0]["text"] == "first"
        assert b"second" not in answered.body
        await the_next_call_is_clean(rig, broken)
