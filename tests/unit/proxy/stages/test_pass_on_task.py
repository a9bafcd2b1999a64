from __future__ import annotations

from typing import Any

import pytest

from core.mcp.message import Request
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.task_ids import LIFETIME_S, open_task
from proxy.stages.pass_on_task import task_for
from proxy.upstream.outbound import Outbound
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool

TASKS = "io.modelcontextprotocol/tasks"
BEGUN: dict[str, Any] = {"resultType": "task", "taskId": "task-1", "status": "working", "createdAt": "now"}


def called(method: str = "tools/call", extensions: dict[str, object] | None = None) -> Exchange:
    x = exchange(gateway([tool()]))
    assert x.gateway is not None
    if method != "tools/call":
        x.message = Request(1, method, {"taskId": "ours"}, x.era, {})
    x.target, x.installation = x.gateway.tools["t"], installation(installation="ann's")
    known = {TASKS: {}} if extensions is None else extensions
    x.outbound = Outbound(method, {}, {}, capabilities={"elicitation": {}}, extensions=known)
    return x


def told(x: Exchange, deps: Deps, **state: Any) -> dict[str, Any]:
    return task_for(x, BEGUN | state, deps)


async def test_a_task_that_begins_gets_an_identifier_of_ours() -> None:
    async with parts() as deps:
        x = called()
        begun = told(x, deps)
        assert x.gateway is not None
        inside = open_task(deps.settings.key_ring, begun["taskId"], (x.gateway.id, x.caller.key))
    assert (inside.theirs, inside.tool) == ("task-1", "t")
    assert (begun["resultType"], begun["status"], begun["createdAt"]) == ("task", "working", "now")


async def test_of_a_state_that_is_not_the_extensions_nothing_is_passed_on() -> None:
    async with parts() as deps:
        begun = told(called(), deps, requestState="s", result={"content": []}, ttl=1)
    assert begun.keys() == {"resultType", "taskId", "status", "createdAt", "ttlMs"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(5_000, 5_000), (10**12, LIFETIME_S * 1000), (None, LIFETIME_S * 1000), (-1, LIFETIME_S * 1000)],
)
async def test_a_task_is_said_to_last_no_longer_than_its_identifier(theirs: int | None, ours: int) -> None:
    async with parts() as deps:
        assert told(called(), deps, ttlMs=theirs)["ttlMs"] == ours


async def test_a_result_does_not_speak_in_our_name() -> None:
    done = {"content": [], "_meta": {"archway/refusal": {"code": "x"}, "theirs": 1}}
    async with parts() as deps:
        inside = told(called("tasks/get"), deps, status="completed", result=done)["result"]
    assert inside["_meta"].keys() == {"theirs", "io.modelcontextprotocol/serverInfo"}


@pytest.mark.parametrize(
    "state",
    [
        {"status": "asleep"},
        {"status": None},
        {"status": "completed"},
        {"status": "completed", "result": {"resultType": "task"}},
        {"status": "failed", "error": {"message": "no code"}},
        {"status": "failed"},
    ],
)
async def test_what_is_no_state_of_a_task_is_an_answer_that_cannot_be_used(state: dict[str, Any]) -> None:
    async with parts() as deps:
        with pytest.raises(Refusal) as refusal:
            told(called("tasks/get"), deps, **state)
    assert refusal.value.reason == "upstream_broken"


@pytest.mark.parametrize("theirs", [None, "", 3, "x" * 2000])
async def test_a_task_without_an_identifier_that_can_be_kept_is_none(theirs: object) -> None:
    async with parts() as deps:
        with pytest.raises(Refusal) as refusal:
            told(called(), deps, taskId=theirs)
    assert refusal.value.reason == "upstream_broken"


async def test_a_task_for_who_knows_none_is_none() -> None:
    async with parts() as deps:
        with pytest.raises(Refusal) as refusal:
            told(called(extensions={}), deps)
    assert refusal.value.reason == "upstream_broken"


@pytest.mark.parametrize("asked", [None, 3, {"a": {"method": "roots/list"}}, {"a": {"method": "tools/call"}}])
async def test_a_question_that_cannot_be_asked_is_not_passed_on(asked: object) -> None:
    async with parts() as deps:
        with pytest.raises(Refusal) as refusal:
            told(called("tasks/get"), deps, status="input_required", inputRequests=asked)
    assert refusal.value.reason == "upstream_asks"
