"""Sessions of legacy callers: what they hear beside calls, and what the server may ask them."""

import asyncio
import contextlib
import json

import pytest

from tests.fakes.bridged import WITHIN_S, messages

FORM = {"elicitation": {"form": {}}}


async def test_a_session_hears_that_a_list_has_changed(legacy):
    await legacy.open()
    async with listening(legacy) as heard:
        await legacy.call("change")

        assert (await heard())["method"] == "notifications/tools/list_changed"


async def test_every_session_hears_of_lists_and_only_those_who_follow_of_a_resource(legacy):
    await legacy.open()
    async with listening(legacy) as first:
        await legacy.ask("resources/subscribe", {"uri": "test://one"})
        await legacy.open()
        async with listening(legacy) as second:
            await legacy.ask("resources/subscribe", {"uri": "test://two"})
            await legacy.call("change", uris=["test://one", "test://two", "test://none"])
            await legacy.call("change")

            for heard, uri in ((first, "test://one"), (second, "test://two")):
                assert (await heard())["method"] == "notifications/tools/list_changed"
                assert (await heard())["params"] == {"uri": uri}
                assert (await heard())["method"] == "notifications/tools/list_changed"


async def test_a_resource_is_followed_until_nobody_follows_it(legacy):
    await legacy.open()
    await legacy.ask("resources/subscribe", {"uri": "test://one"})
    first = legacy.session
    await legacy.open()
    await legacy.ask("resources/subscribe", {"uri": "test://one"})

    assert (await legacy.ask("resources/unsubscribe", {"uri": "test://one"})).last["result"] == {}
    assert "resources/unsubscribe" not in await methods(legacy)

    legacy.session = first
    async with legacy.request("DELETE") as answer:
        assert answer.status == 200
    legacy.session = None
    assert "resources/unsubscribe" in await methods(legacy)


async def test_a_session_that_was_ended_is_lost(legacy):
    await legacy.open()
    async with legacy.request("DELETE") as answer:
        assert answer.status == 200

    assert (await legacy.call("echo")).status == 404


async def test_sessions_end_with_the_run_of_the_server(legacy):
    await legacy.open()
    async with legacy.request("GET") as stream:
        _ = await legacy.call("crash")
        assert [one async for one in messages(stream)] == []
    await legacy.state("ready")

    assert (await legacy.call("echo")).status == 404


async def test_a_caller_is_asked_while_its_call_runs_alone(legacy):
    await legacy.open(FORM)
    async with calling(legacy, "ask") as answer:
        stream = messages(answer)
        question = await anext(stream)
        assert question["method"] == "elicitation/create"

        told = await legacy.post({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}})

        assert told.status == 202
        last = await anext(stream)
        assert json.loads(last["result"]["content"][0]["text"]) == {"action": "accept"}
        assert last["id"] == 1


@pytest.mark.parametrize(
    "method", ["sampling/createMessage", "roots/list", "something/else"], ids=["not declared", "nor this", "unknown"]
)
async def test_a_caller_is_not_asked_for_what_it_cannot(legacy, method):
    await legacy.open(FORM)

    said = await legacy.call("ask", method=method)

    assert [json.loads(said.text)["code"], len(said.messages)] == [-32601, 1]


async def test_a_caller_without_a_session_is_not_asked(legacy):
    said = await legacy.call("ask")

    assert [json.loads(said.text)["code"], len(said.messages)] == [-32601, 1]


async def test_nobody_is_asked_while_two_calls_run(legacy):
    await legacy.open(FORM)
    held = legacy.begin("hold")
    await legacy.seen("hold")

    said = await legacy.call("ask")
    await legacy.call("release")

    assert [json.loads(said.text)["code"], len(said.messages)] == [-32601, 1]
    assert len((await held).messages) == 1


async def test_an_answer_of_another_session_is_not_taken(legacy):
    await legacy.open(FORM)
    asked = legacy.session
    async with calling(legacy, "ask") as answer:
        stream = messages(answer)
        question = await anext(stream)
        await legacy.open(FORM)

        forged = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "forged"}}
        assert (await legacy.post(forged)).status == 202

        legacy.session = asked
        await legacy.post({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "mine"}})
        assert "mine" in (await anext(stream))["result"]["content"][0]["text"]


async def test_a_modern_server_may_not_ask(modern):
    await modern.open(FORM)

    said = await modern.call("ask")

    assert [json.loads(said.text)["code"], len(said.messages)] == [-32601, 1]


def calling(bridge, tool):
    params = {"name": tool, "arguments": {}}
    return bridge.request("POST", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


@contextlib.asynccontextmanager
async def listening(bridge):
    """A stream of the session; what it is given says what is heard next."""
    async with bridge.request("GET", headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status == 200
        stream = messages(answer)

        async def heard():
            async with asyncio.timeout(WITHIN_S):
                return await anext(stream)

        yield heard


async def methods(bridge):
    return [one.get("method") for one in await bridge.received()]
