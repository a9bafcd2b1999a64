"""Many callers at one server: whose answer, whose progress, whose log line, and who wants an answer no more."""

import asyncio
import json

import pytest

from tests.fakes.bridged import Bridge, child

OF_ALL = pytest.mark.asyncio(loop_scope="module")
"""For tests that leave nothing behind, and share a bridge."""


@OF_ALL
async def test_callers_with_the_same_id_get_their_own_answers(shared):
    params = [{"name": "echo", "arguments": {"text": f"caller {n}"}} for n in range(20)]

    said = await asyncio.gather(*(shared.ask("tools/call", one, request_id=7) for one in params))

    assert [one.text for one in said] == [f"caller {n}" for n in range(20)]
    assert {one.last["id"] for one in said} == {7}


@OF_ALL
@pytest.mark.parametrize("request_id", ["a-word", "7", 7, -1, 0, 2**53], ids=repr)
async def test_an_id_comes_back_as_it_was(shared, request_id):
    said = await shared.ask("ping", {}, request_id=request_id)

    assert said.last["id"] == request_id
    assert type(said.last["id"]) is type(request_id)


@OF_ALL
async def test_callers_with_the_same_progress_token_hear_their_own_progress(shared):
    said = await asyncio.gather(*(shared.call("progress", token="mine") for _ in range(8)))

    for one in said:
        told = [message["params"] for message in one.messages[:-1]]
        assert told == [{"progressToken": "mine", "progress": step} for step in (1, 2)]
    assert len({one.text for one in said}) == 8, "each was asked for under a token of its own"


async def test_a_call_without_a_progress_token_is_sent_without_one(legacy):
    await legacy.call("echo")

    (sent,) = [one for one in await legacy.received() if one.get("params", {}).get("name") == "echo"]
    assert "_meta" not in sent["params"]


async def test_what_is_logged_while_one_call_runs_is_told_to_its_caller(legacy):
    said = await legacy.call("log", text="mine")

    assert said.messages[0]["params"]["data"] == "mine"
    assert said.text == "logged"


async def test_what_is_logged_while_two_calls_run_is_told_to_nobody(legacy):
    held = legacy.begin("hold")
    await legacy.seen("hold")

    said = await legacy.call("log", text="whose?")
    await legacy.call("release")

    assert [len(said.messages), len((await held).messages)] == [1, 1]


async def test_what_is_logged_after_a_caller_has_left_is_not_told_to_the_next(legacy):
    held = legacy.begin("hold")
    await legacy.seen("hold")
    held.cancel()
    await left(legacy)

    said = await legacy.call("log", text="of the one who left?")

    assert len(said.messages) == 1


async def test_a_server_is_told_that_a_caller_has_left(legacy):
    held = legacy.begin("hold")
    sent = await legacy.seen("hold")

    held.cancel()

    assert (await left(legacy))["params"]["requestId"] == sent["id"]


async def test_a_server_is_told_that_a_caller_cancels_its_call_and_no_other(legacy):
    await legacy.open()
    held = legacy.begin("hold", request_id=5)
    sent = await legacy.seen("hold")
    other = legacy.begin("hold", text="goes on")

    assert (await legacy.tell("notifications/cancelled", {"requestId": 5})).status == 202

    assert (await held).last["error"]["message"] == "The call was cancelled."
    assert (await left(legacy))["params"]["requestId"] == sent["id"]
    await legacy.call("release")
    assert (await other).text == "goes on"


async def test_a_session_cannot_cancel_a_call_of_another(legacy):
    await legacy.open()
    held = legacy.begin("hold", text="not cancelled")
    await legacy.seen("hold")
    await legacy.open()

    for request_id in ("id-2", 2):
        await legacy.tell("notifications/cancelled", {"requestId": request_id})

    await legacy.call("release")
    assert (await held).text == "not cancelled"


async def test_more_calls_than_may_run_at_once_are_told_to_come_again(tmp_path):
    async with Bridge(child("legacy"), tmp_path, "--max-in-flight", "2") as bridge:
        await bridge.ready()
        calls = {bridge.begin("hold", text="held") for _ in range(3)}

        (done,), held = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)

        assert [done.result().status, done.result().headers["Retry-After"]] == [503, "1"]
        leaves, stays = held
        leaves.cancel()
        async with asyncio.timeout(30):
            while (said := await bridge.call("release")).status == 503:
                pass
        assert said.text == "released"
        assert (await stays).text == "held"


@OF_ALL
async def test_numbers_and_text_of_a_result_are_not_changed(shared):
    text = '{"big": 12345678901234567890123, "small": 0.1000000000000000055, "half": "\\ud83d\\ude00"}'

    said = await shared.call("echo", text=text)

    assert said.text == text


async def test_subscriptions_of_a_modern_server_name_the_callers_own_id(modern):
    params = {"notifications": {"toolsListChanged": True}}

    said = await modern.ask("subscriptions/listen", params, modern=True, request_id="listening")

    key = "io.modelcontextprotocol/subscriptionId"
    assert said.methods == ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed"]
    assert [one["params"]["_meta"][key] for one in said.messages[:-1]] == ["listening"] * 2
    assert said.last["result"]["_meta"][key] == "listening"


async def left(bridge):
    """What the server was told when a caller left, once it was."""
    async with asyncio.timeout(30):
        while True:
            for one in await bridge.received():
                if one.get("method") == "notifications/cancelled":
                    return json.loads(json.dumps(one))
