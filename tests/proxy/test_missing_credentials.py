"""A call whose credential is missing: who can show a link is asked to, and the same call goes through afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from core.resolve import InstallationRefusal
from core.tokens import digest
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig

LINK = "https://archway.test/install/server?as=user%3Au"
MISSING = InstallationRefusal("credential_missing", "Connect server first.", LINK)
CAN: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}}
META = {"io.modelcontextprotocol/clientCapabilities": CAN}
ANSWERS = {"sign-in": {"action": "accept"}}


async def serve(rig: Rig, upstream: McpUpstream) -> None:
    """A tool for which this caller has no credential yet."""
    held = rig.control.installation(upstream.url)
    tool = rig.control.tool("t", "echo", held, per_principal=True)
    rig.control.installations[f"{tool.assignment_id}/{digest(rig.token)}"] = MISSING
    await rig.serve([tool])


def connects(rig: Rig) -> None:
    """The person has done what the page behind the link asks for."""
    held = rig.control.installations
    rig.control.installations = {key: one for key, one in held.items() if one is not MISSING}


async def call(rig: Rig, **params: Any) -> Reply:
    return await rig.modern("tools/call", {"name": "t", "arguments": {"n": 1}, **params}, meta=META)


async def test_a_modern_client_is_asked_and_calls_again(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    asked = (await call(rig)).result
    assert asked["resultType"] == "input_required"
    assert asked["inputRequests"]["sign-in"]["params"]["url"] == LINK
    connects(rig)
    done = await call(rig, inputResponses=ANSWERS, requestState=asked["requestState"])
    assert done.result["content"][0]["text"] == '{"n":1}'
    (seen,) = upstream.seen_of("tools/call")
    assert "requestState" not in seen.params
    assert "inputResponses" not in seen.params


async def test_who_is_not_there_yet_is_asked_again_and_who_says_no_is_not(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    state = (await call(rig)).result["requestState"]
    again = (await call(rig, inputResponses=ANSWERS, requestState=state)).result
    assert again["resultType"] == "input_required"
    declined = {"sign-in": {"action": "decline"}}
    told = (await call(rig, inputResponses=declined, requestState=again["requestState"])).result
    assert told["isError"]
    assert LINK in told["content"][0]["text"]


async def test_a_client_that_says_yes_without_anybody_there_is_told_in_words_at_last(
    rig: Rig, upstream: McpUpstream
) -> None:
    await serve(rig, upstream)
    result = (await call(rig)).result
    for _ in range(10):
        if "requestState" not in result:
            break
        result = (await call(rig, inputResponses=ANSWERS, requestState=result["requestState"])).result
    assert result["isError"]


@pytest.mark.parametrize("change", ["a bit", "the tool", "the arguments", "the caller", "all"])
async def test_a_state_is_for_this_call_alone(rig: Rig, upstream: McpUpstream, change: str) -> None:
    await serve(rig, upstream)
    state = (await call(rig)).result["requestState"]
    params: dict[str, Any] = {"name": "t", "arguments": {"n": 1}, "requestState": state}
    token = rig.token
    if change in {"a bit", "all"}:
        params["requestState"] = (
            "x" if change == "all" else state[:-2] + ("B" if state[-2] == "A" else "A") + state[-1]
        )
    elif change == "the tool":
        params["name"] = "u"
    elif change == "the arguments":
        params["arguments"] = {"n": 2}
    else:
        token = rig.control.token()
    reply = await rig.modern("tools/call", params, meta=META, token=token)
    assert (reply.status, reply.error["code"]) == (200, -32602)
    assert upstream.seen_of("tools/call") == []


async def test_a_legacy_client_gets_the_error_that_asks_and_calls_again(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    params = {"protocolVersion": "2025-11-25", "capabilities": CAN, "clientInfo": {"name": "test", "version": "1"}}
    opened = await rig.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    session = opened.headers["Mcp-Session-Id"]
    wanted = {"name": "t", "arguments": {"n": 1}}
    error = (await rig.legacy("tools/call", wanted, session=session)).error
    assert error["code"] == -32042
    (asked,) = error["data"]["elicitations"]
    assert (asked["mode"], asked["url"]) == ("url", LINK)
    connects(rig)
    done = await rig.legacy("tools/call", wanted, session=session)
    assert done.result["content"][0]["text"] == '{"n":1}'


async def test_everybody_else_is_told_in_words(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    session = await rig.open_session()
    for reply in (
        await rig.call("t"),
        await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session),
    ):
        assert reply.result["isError"]
        assert reply.result["content"][0]["text"] == f"Connect server first. {LINK}"
        assert reply.refusal["link"] == LINK
