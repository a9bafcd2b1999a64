import asyncio
import threading

import orjson
import pytest

from core.mcp.versions import Era
from core.tasks import Tasks
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.room import hold_read
from proxy.stages import relay as stage
from proxy.stages.choose_tool import choose_tool
from proxy.stages.compose_headers import compose_headers
from proxy.stages.relay import relay
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool

TEXT = [{"type": "text", "text": "x"}]


async def relayed(result: dict[str, object], *, era: Era = Era.MODERN, kind: str = "tool") -> Exchange:
    x = exchange(gateway([tool(kind=kind)]), era=era)
    async with parts() as deps:
        choose_tool(x, deps)
        x.installation, x.result = installation(), result
        compose_headers(x, deps)
        relay(x, deps)
    return x


@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
async def test_a_result_is_told_in_the_callers_era(era: Era) -> None:
    x = await relayed({"content": TEXT, "resultType": "complete"}, era=era)
    assert x.answer is not None
    message = orjson.loads(x.answer.body)
    assert (x.status, message["id"], message["result"]["content"]) == ("ok", 1, TEXT)
    assert ("resultType" in message["result"]) is (era is Era.MODERN)
    assert x.bytes_out == len(x.answer.body)


@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
@pytest.mark.parametrize("is_error", [True, False])
async def test_a_result_says_which_account_acted_whatever_the_server_says(era: Era, is_error: bool) -> None:
    x = exchange(gateway([tool()]), era=era)
    async with parts() as deps:
        choose_tool(x, deps)
        x.installation = installation(owner="user:ann", installation="Work", account="octocat")
        x.result = {"content": TEXT, "isError": is_error, "_meta": {"archway/account": "mine"}}
        relay(x, deps)
    assert x.answer is not None
    told = orjson.loads(x.answer.body)["result"]["_meta"]["archway/account"]
    assert told == {"installation": "Work", "owner": "user:ann", "account": "octocat"}


async def test_of_an_installation_without_a_name_nothing_is_said() -> None:
    x = await relayed({"content": TEXT}, era=Era.LEGACY)
    assert x.answer is not None
    assert "_meta" not in orjson.loads(x.answer.body)["result"]


async def test_a_tools_own_error_is_a_result() -> None:
    assert (await relayed({"content": TEXT, "isError": True})).status == "tool_error"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"resultType": "input_required"}, "upstream_asks"),
        ({"resultType": "task"}, "upstream_broken"),
        ({"resultType": "novel"}, "upstream_broken"),
        ({"resultType": 1}, "upstream_broken"),
    ],
)
async def test_a_result_that_is_not_complete_is_refused(result: dict[str, object], reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await relayed(result)
    assert refusal.value.reason == reason


async def test_a_resources_contents_are_embedded() -> None:
    x = await relayed({"contents": [{"uri": "x:y"}]}, kind="resource")
    assert x.answer is not None
    content = orjson.loads(x.answer.body)["result"]["content"]
    assert content == [{"type": "resource", "resource": {"uri": "x:y"}}]
    with pytest.raises(Refusal):
        await relayed({"content": []}, kind="resource")


async def test_an_answer_that_has_no_room_beside_the_callers_unread_ones_is_not_kept() -> None:
    x = exchange(gateway([tool()]))
    async with parts(bytes_in_flight=4000) as deps:
        choose_tool(x, deps)
        x.installation, x.result = installation(), {"content": [{"type": "text", "text": "x" * 900}]}
        deps.usage.held.take(x.caller.key, 900, most=4000, share=1000)
        with pytest.raises(Refusal, match="upstream_too_large") as refusal:
            relay(x, deps)
        assert refusal.value.words["limit"] == 100
        assert (x.answer, x.status, x.bytes_held) == (None, "", 0)
        deps.usage.held.give_back(x.caller.key, 900)
        x.result = {"content": TEXT}
        relay(x, deps)
        assert x.answer is not None
        assert deps.usage.bytes_in_flight == x.bytes_held == len(x.answer.body)


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("tool", {"content": TEXT}),
        ("tool", {"content": [], "structuredContent": {"a": 1}}),
        ("resource", {"contents": [{"uri": "x:y"}]}),
    ],
)
async def test_all_work_on_a_large_result_is_done_in_its_turn_by_the_thread(
    monkeypatch: pytest.MonkeyPatch, kind: str, result: dict[str, object]
) -> None:
    x = exchange(gateway([tool(kind=kind)]))
    async with parts() as deps:
        choose_tool(x, deps)
        x.installation, x.result, x.large = installation(), result, True
        threads = []
        taken_apart = type(x.target).result_of

        def result_of(target: object, result: dict[str, object]) -> object:
            threads.append(threading.current_thread().name)
            return taken_apart(target, result)  # type: ignore[arg-type]  # the class that it was taken from

        monkeypatch.setattr(type(x.target), "result_of", result_of)
        waiting = relay(x, deps)
        assert waiting is not None
        assert threads == []
        await waiting
    assert threads == ["large-answers_0"]
    assert (x.status, x.answer is not None) == ("ok", True)


async def test_what_is_wrong_with_a_large_result_is_refused_as_with_any() -> None:
    for kind, result, reason in [
        ("resource", {"content": []}, "upstream_broken"),
        ("tool", {"resultType": "task"}, "upstream_broken"),
        ("tool", {"resultType": "novel"}, "upstream_broken"),
    ]:
        x = exchange(gateway([tool(kind=kind)]))
        async with parts() as deps:
            choose_tool(x, deps)
            x.installation, x.result, x.large = installation(), result, True
            waiting = relay(x, deps)
            assert waiting is not None
            with pytest.raises(Refusal, match=reason):
                await waiting


async def test_a_large_answer_that_gets_no_turn_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(stage, "TURN_S", 0.01)
    x = exchange(gateway([tool()]))
    async with parts() as deps:
        choose_tool(x, deps)
        x.installation, x.result, x.large = installation(), {"content": TEXT}, True
        other = Tasks("test").spawn("other", deps.upstreams.large.in_turn(lambda: gate.wait(60)))
        await asyncio.sleep(0)
        waiting = relay(x, deps)
        assert waiting is not None
        try:
            with pytest.raises(Refusal, match="upstream_slow") as refusal:
                await waiting
        finally:
            gate.set()
        assert await other
    assert "had no turn" in refusal.value.detail
    assert x.answer is None


async def test_what_was_read_of_a_large_answer_gives_its_room_to_what_is_written() -> None:
    x = exchange(gateway([tool()]))
    async with parts(bytes_in_flight=4000) as deps:
        choose_tool(x, deps)
        x.installation, x.result, x.large, x.runs = installation(), {"content": TEXT}, True, True
        assert hold_read(x, deps, 990)
        waiting = relay(x, deps)
        assert waiting is not None
        await waiting
        assert x.answer is not None
        assert deps.usage.bytes_in_flight == x.bytes_held == len(x.answer.body)
    assert x.result is None
