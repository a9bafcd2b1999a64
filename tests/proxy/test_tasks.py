"""Tasks of modern servers (SEP-2663) through a gateway: begun by a call, asked about, answered, cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.snapshot import Rule
from proxy.sessions import task_ids
from tests.clients.real_clients import listed_and_called
from tests.clients.what_clients_do import CLIENTS
from tests.fakes.mcp_upstream import Answer
from tests.fakes.task_server import OWN, TASKS, TIMES, TaskServer
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually

KNOWS: dict[str, Any] = {"extensions": {TASKS: {}}}
CAN: dict[str, Any] = {"elicitation": {}, **KNOWS}
FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASKS = {"city": {"method": "elicitation/create", "params": FORM}}
PARIS = {"city": {"action": "accept", "content": {"city": "Paris"}}}


async def serve(rig: Rig, server: TaskServer, **fields: Any) -> None:
    installed = rig.control.installation(server.url, installation="ours")
    await rig.serve([rig.control.tool("t", "slow", installed)], **fields)


async def ask(rig: Rig, method: str, task: object, *, can: Any = None, more: Any = None, **where: Any) -> Reply:
    meta = {"io.modelcontextprotocol/clientCapabilities": CAN if can is None else can}
    return await rig.modern(method, {"taskId": task, **(more or {})}, meta=meta, **where)


async def begin(rig: Rig, *, can: Any = None, **where: Any) -> dict[str, Any]:
    meta = {"io.modelcontextprotocol/clientCapabilities": CAN if can is None else can}
    return (await rig.call("t", meta=meta, **where)).result


async def test_a_call_becomes_a_task_under_an_identifier_of_ours(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        begun = await begin(rig)
        assert (begun["resultType"], begun["status"], begun["pollIntervalMs"]) == ("task", "working", 100)
        assert (begun["createdAt"], begun["ttlMs"]) == (TIMES["createdAt"], task_ids.LIFETIME_S * 1000)
        assert OWN not in begun["taskId"]
        assert begun["_meta"]["archway/account"]["installation"] == "ours"
        assert server.complaints == []


async def test_what_becomes_of_a_task_is_told(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        working = (await ask(rig, "tasks/get", task)).result
        assert (working["taskId"], working["status"], working["resultType"]) == (task, "working", "complete")
        server.now = {"status": "completed", "result": {"content": [{"type": "text", "text": "42"}]}}
        done = (await ask(rig, "tasks/get", task)).result
        assert done["result"]["content"] == [{"type": "text", "text": "42"}]
        server.now = {
            "status": "failed",
            "error": {"code": -32603, "message": "no\x1bmore"},
            "statusMessage": "x" * 9_000,
        }
        failed = (await ask(rig, "tasks/get", task)).result
        assert failed["error"] == {"code": -32603, "message": "nomore"}
        assert len(failed["statusMessage"]) < 5_000
        server.now = {"status": "cancelled"}
        assert (await ask(rig, "tasks/get", task)).result["status"] == "cancelled"
        assert {one.params["taskId"] for one in server.seen_of("tasks/get")} == {OWN}
        assert {one.headers["Mcp-Name"] for one in server.seen_of("tasks/get")} == {OWN}
        assert server.complaints == []


async def test_a_large_result_of_a_task_arrives(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        text, forged = "x" * (2 << 20), {"archway/refusal": {"code": "busy"}}
        done = {"content": [{"type": "text", "text": text}], "_meta": forged}
        server.now = {"status": "completed", "result": done}
        told = (await ask(rig, "tasks/get", task)).result["result"]
        assert told["content"][0]["text"] == text
        assert "archway/refusal" not in told["_meta"]


async def test_a_task_is_cancelled_at_its_server(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        told = (await ask(rig, "tasks/cancel", task)).result
        assert told["resultType"] == "complete"
        assert not told.keys() & {"taskId", "status"}
        (seen,) = server.seen_of("tasks/cancel")
        assert seen.params["taskId"] == OWN


async def test_a_question_of_a_task_is_asked_and_its_answer_reaches_the_server(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        server.now = {"status": "input_required", "inputRequests": ASKS}
        asked = (await ask(rig, "tasks/get", task)).result["inputRequests"]
        assert asked["city"]["params"]["message"] == "server (ours) asks: Which city?"
        told = await ask(rig, "tasks/update", task, more={"inputResponses": PARIS})
        assert told.result["resultType"] == "complete"
        (seen,) = server.seen_of("tasks/update")
        assert (seen.params["taskId"], seen.params["inputResponses"]) == (OWN, PARIS)


@pytest.mark.parametrize("case", ["not declared", "not allowed", "leads to us"])
async def test_a_question_that_may_not_be_asked_is_not_passed_on(rig: Rig, case: str) -> None:
    async with TaskServer() as server:
        await serve(rig, server, may_ask=[] if case == "not allowed" else ["elicitation"])
        task = (await begin(rig))["taskId"]
        link = {"mode": "url", "message": "Sign in", "url": "http://127.0.0.1:8080/x"}
        params = link if case == "leads to us" else FORM
        server.now = {
            "status": "input_required",
            "inputRequests": {"a": {"method": "elicitation/create", "params": params}},
        }
        can = KNOWS if case == "not declared" else {"elicitation": {"form": {}, "url": {}}, **KNOWS}
        told = await ask(rig, "tasks/get", task, can=can)
        assert told.error["data"]["code"] == "upstream_asks"


@pytest.mark.parametrize("answers", [3, [], {"city": "Paris"}])
async def test_answers_to_a_task_that_are_none_do_not_reach_its_server(rig: Rig, answers: object) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        told = await ask(rig, "tasks/update", task, more={"inputResponses": answers})
        assert (told.error["code"], told.status) == (-32602, 400)
        assert server.seen_of("tasks/update") == []


async def test_any_worker_goes_on_with_a_task(make_rig: MakeRig) -> None:
    async with make_rig() as rig, make_rig(control=rig.control) as other, TaskServer() as server:
        other.token = rig.token
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        assert (await ask(other, "tasks/get", task)).result["taskId"] == task


async def test_a_client_that_knows_no_tasks_gets_none(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        assert (await begin(rig, can={}))["content"][0]["text"] == "done at once"
        server.tool("slow", Answer(result={"resultType": "task", **TIMES, **server.begun}))
        told = await begin(rig, can={})
        assert told["_meta"]["archway/refusal"]["code"] == "upstream_broken"
        session = await rig.open_session()
        told = (await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)).result
        assert told["_meta"]["archway/refusal"]["code"] == "upstream_broken"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_who_asks_about_tasks_must_say_that_it_knows_them(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        told = await ask(rig, method, task, can={"elicitation": {}}, more={"inputResponses": {}})
        assert (told.status, told.error["code"]) == (400, -32021)
        assert told.error["data"]["requiredCapabilities"] == KNOWS


async def test_a_tool_that_runs_only_as_a_task_says_so_to_a_client_that_knows_none(rig: Rig) -> None:
    async with TaskServer() as server:
        server.tool("slow", Answer(error=(-32021, "as a task", {"requiredCapabilities": KNOWS}), status=400))
        await serve(rig, server)
        told = await rig.call("t")
        assert (told.status, told.error["code"]) == (400, -32021)
        assert told.error["data"]["requiredCapabilities"] == KNOWS


@pytest.mark.parametrize("way", ["fast"])
async def test_a_real_client_waits_for_its_task(rig: Rig) -> None:
    """The Inspector, whose tasks are the TypeScript package of the extension's authors."""
    client = next(one for one in CLIENTS if one.program == "inspector" and one.mode == "auto")
    done = {"status": "completed", "result": {"content": [{"type": "text", "text": "42"}]}}
    async with TaskServer() as server:
        own = {"taskId": OWN, "ttlMs": None, "pollIntervalMs": 100, **TIMES}
        server.on("tasks/get", [Answer(result={**own, "status": "working"}), Answer(result={**own, **done})])
        await serve(rig, server)
        seen = await asyncio.to_thread(listed_and_called, client, rig.url(), rig.token, "t", {})
        assert seen.text == "42"
        assert len(server.seen_of("tasks/get")) >= 2


@pytest.mark.parametrize("method", ["tasks/result", "tasks/list"])
async def test_what_tasks_of_before_had_is_not_there(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        told = await ask(rig, method, "x")
        assert (told.status, told.error["code"]) == (404, -32601)


async def test_a_gateway_says_that_it_knows_tasks(rig: Rig) -> None:
    await rig.serve([])
    assert (await rig.modern("server/discover")).result["capabilities"]["extensions"] == {TASKS: {}}


async def test_a_server_that_has_forgotten_a_task_is_heard(rig: Rig) -> None:
    async with TaskServer() as server:
        await serve(rig, server)
        task = (await begin(rig))["taskId"]
        server.on("tasks/get", Answer(error=(-32602, "Task not found")))
        told = await ask(rig, "tasks/get", task)
        assert (told.error["code"], told.error["message"]) == (-32602, "server says: Task not found")


async def test_the_tasks_of_a_quarantined_tool_are_out_of_reach(rig: Rig) -> None:
    async with TaskServer() as server:
        installed = rig.control.installation(server.url)
        tool = rig.control.tool("t", "slow", installed)
        await rig.serve([tool])
        task = (await begin(rig))["taskId"]
        await rig.serve([tool], rules=[Rule("refuse", "quarantined", ["t"])])

        async def refused() -> bool:
            told = await ask(rig, "tasks/get", task)
            return told.json.get("error", {}).get("data", {}).get("code") == "quarantined"

        await eventually(refused)
