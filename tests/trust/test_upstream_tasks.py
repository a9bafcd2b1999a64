"""Identifiers of tasks (row M-8): one that was not given to this caller, on this gateway, leads to no task."""

from __future__ import annotations

import time
from typing import Any

import pytest

from core.tokens import digest
from proxy.sessions.sealed_text import close_text
from proxy.sessions.task_ids import LIFETIME_S, TaskId
from tests.fakes.task_server import OWN, TASKS, TaskServer
from tests.proxy.conftest import Reply, Rig

METHODS = ["tasks/get", "tasks/update", "tasks/cancel"]
META: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}}}


def row(name: str) -> list[Any]:
    return [pytest.param(method, id=f"{method}-M-8: {name}") for method in METHODS]


async def use(rig: Rig, method: str, task: object, **where: Any) -> Reply:
    return await rig.modern(method, {"taskId": task, "inputResponses": {}}, meta=META, **where)


async def begun(rig: Rig, server: TaskServer) -> str:
    """The identifier of a task of the rig's caller, on a gateway that has its tool."""
    tool = rig.control.tool("t", "slow", rig.control.installation(server.url))
    await rig.serve([tool])
    await rig.serve([tool], slug="other")
    task = str((await rig.call("t", meta=META)).result["taskId"])
    assert (await use(rig, "tasks/get", task)).result["taskId"] == task
    return task


def reaches_nothing(told: Reply, server: TaskServer, words: str) -> None:
    assert (told.status, told.error["code"]) == (200, -32602)
    assert words in told.error["message"]
    assert [len(server.seen_of(method)) for method in METHODS] == [1, 0, 0]  # what `begun` asked


@pytest.mark.parametrize("method", row("forged task id"))
async def test_a_task_id_that_was_changed_names_no_task(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        task = await begun(rig, server)
        for forged in (task[:-8] + "AAAAAAA=", task[1:], task + "AAAA", "A" * 6_000, "task-2"):
            reaches_nothing(await use(rig, method, forged), server, "not given to you")


@pytest.mark.parametrize("method", row("task id of the server itself"))
async def test_the_servers_own_task_id_names_no_task(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        await begun(rig, server)
        reaches_nothing(await use(rig, method, OWN), server, "not given to you")


@pytest.mark.parametrize("method", row("task id of another caller"))
@pytest.mark.parametrize("kind", ["user", "team", "organisation"])
async def test_another_callers_task_id_names_no_task(rig: Rig, kind: str, method: str) -> None:
    async with TaskServer() as server:
        task = await begun(rig, server)
        told = await use(rig, method, task, token=rig.control.token(kind))
        reaches_nothing(told, server, "not given to you")


@pytest.mark.parametrize("method", row("task id of another gateway"))
async def test_a_task_id_of_one_gateway_names_no_task_on_another(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        task = await begun(rig, server)
        reaches_nothing(await use(rig, method, task, gateway="other"), server, "not given to you")


@pytest.mark.parametrize("method", row("expired task id"))
async def test_an_expired_task_id_names_no_task(rig: Rig, method: str) -> None:
    async with TaskServer() as server:
        await begun(rig, server)
        expired = closed(rig, installation="any", expires=int(time.time()) - 1)
        reaches_nothing(await use(rig, method, expired), server, "more than 30 days ago")


@pytest.mark.parametrize("method", row("task id of another installation"))
async def test_a_task_of_an_installation_that_serves_the_caller_no_more_is_not_asked_about(
    rig: Rig, method: str
) -> None:
    async with TaskServer() as server:
        await begun(rig, server)
        other = closed(rig, installation="another", expires=int(time.time()) + LIFETIME_S)
        reaches_nothing(await use(rig, method, other), server, "does not serve you any more")


def closed(rig: Rig, **inside: Any) -> str:
    """An identifier as this deployment gives it to the rig's caller."""
    (gateway,) = [one for one in rig.control.gateways.values() if one.slug == "g"]
    principal = rig.control.verdicts[digest(rig.token)].principal
    assert principal is not None
    task = TaskId(OWN, "t", inside["installation"], inside["expires"])
    return close_text(rig.control.ring, "task-id", task, (gateway.id, principal.key))
