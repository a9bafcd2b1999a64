"""What servers log while they serve a call: to whom it is passed on, and from which level on."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.limits import logged
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Rig

LEVELS = ("debug", "info", "error")


def logs(level: Any, data: str) -> dict[str, Any]:
    params = {"level": level, "logger": "theirs", "data": data, "_meta": {"archway/refusal": {}}}
    return {"jsonrpc": "2.0", "method": "notifications/message", "params": params}


async def serve(rig: Rig, server: McpUpstream) -> None:
    server.tool("t", Answer(text="done", before=[*(logs(level, level) for level in LEVELS), logs("loud", "x")]))
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])


def said(events: list[Any]) -> list[str]:
    return [one["params"]["data"] for one in events if one.get("method") == "notifications/message"]


async def heard(rig: Rig, session: str) -> list[str]:
    reply = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
    return said(reply.events)


async def set_level(rig: Rig, session: str, level: Any) -> Any:
    return await rig.legacy("logging/setLevel", {"level": level}, session=session)


@pytest.mark.parametrize(
    ("level", "told"), [(None, ["debug", "info", "error"]), ("info", ["info", "error"]), ("emergency", [])]
)
async def test_a_legacy_caller_hears_from_the_level_on_that_it_set(rig: Rig, level: Any, told: list[str]) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server)
        session = await rig.open_session()
        if level is not None:
            assert (await set_level(rig, session, level)).result == {}
        assert await heard(rig, session) == told
        assert (await set_level(rig, session, "error")).result == {}
        assert await heard(rig, session) == ["error"]


async def test_each_session_has_its_own_level(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server)
        one, other = await rig.open_session(), await rig.open_session()
        await set_level(rig, one, "error")
        assert (await heard(rig, one), len(await heard(rig, other))) == (["error"], 3)


async def test_what_is_passed_on_is_what_the_protocol_has_and_nothing_in_our_name(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server)
        reply = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=await rig.open_session())
        assert reply.events[0]["params"] == {"level": "debug", "logger": "theirs", "data": "debug"}


@pytest.mark.parametrize("level", ["loud", None, 3, ["info"], "INFO"])
async def test_a_level_that_there_is_not_is_refused(rig: Rig, level: Any) -> None:
    await rig.serve([])
    assert (await set_level(rig, await rig.open_session(), level)).error["code"] == -32602


async def test_a_modern_caller_hears_nothing_unless_its_call_says_a_level(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        await serve(rig, server)
        assert said((await rig.call("t")).events) == []
        meta = {"io.modelcontextprotocol/logLevel": "info"}
        assert said((await rig.call("t", meta=meta)).events) == ["info", "error"]
        assert server.seen_of("tools/call")[-1].meta["io.modelcontextprotocol/logLevel"] == "info"


async def test_a_modern_server_is_told_the_level_of_a_legacy_session(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        await serve(rig, server)
        session = await rig.open_session()
        await heard(rig, session)
        assert "io.modelcontextprotocol/logLevel" not in server.seen_of("tools/call")[-1].meta
        await set_level(rig, session, "error")
        assert await heard(rig, session) == ["error"]
        assert server.seen_of("tools/call")[-1].meta["io.modelcontextprotocol/logLevel"] == "error"


async def test_a_level_holds_in_every_worker_whenever_it_meets_the_session(make_rig: MakeRig) -> None:
    async with make_rig() as rig, make_rig(control=rig.control) as other, McpUpstream(era="legacy") as server:
        other.token = rig.token
        await serve(rig, server)
        session = await rig.open_session()
        assert len(await heard(other, session)) == 3
        await set_level(rig, session, "error")
        for _ in range(100):
            if await heard(other, session) == ["error"]:
                break
        else:
            raise AssertionError("the other worker was not told")
        async with make_rig(control=rig.control) as late:
            late.token = rig.token
            assert await heard(late, session) == ["error"]


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_server_that_logs_without_end_is_cut_and_its_answer_comes(
    rig: Rig, era: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, "MOST", 3)
    async with McpUpstream(era=era) as server:
        server.tool("t", Answer(text="done", before=[logs("error", str(number)) for number in range(50)]))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        reply = await rig.call("t", meta={"io.modelcontextprotocol/logLevel": "error"})
        *told, cut = said(reply.events)
        assert told == ["0", "1", "2"]
        assert "the rest is left out" in cut
        assert reply.events[-1]["result"]["content"][0]["text"] == "done"
