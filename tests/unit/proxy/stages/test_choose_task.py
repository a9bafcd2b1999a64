from __future__ import annotations

from typing import Any

import pytest

from core.mcp.faults import MessageFault
from core.mcp.message import Request
from core.snapshot import Tool
from proxy.deps import Deps
from proxy.exchange import Exchange, Retry
from proxy.offered.task import ToolTask
from proxy.sessions.task_ids import close_task
from proxy.stages.choose_task import choose_task
from tests.fakes.call_parts import exchange, gateway, parts, tool

KNOWS: dict[str, object] = {
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}
}


def asked(
    deps: Deps, method: str, *, tools: tuple[Tool, ...] = (tool(),), meta: Any = KNOWS, **params: Any
) -> Exchange:
    """A request about a task of the tool `t`."""
    x = exchange(gateway(tools))
    assert x.gateway is not None
    closed = close_task(deps.settings.key_ring, "task-1", "t", "installation", (x.gateway.id, x.caller.key))
    x.message = Request(1, method, {"taskId": closed, **params}, x.era, meta)
    return x


async def test_a_request_goes_to_the_installation_that_has_the_task() -> None:
    async with parts() as deps:
        x = asked(deps, "tasks/get", inputResponses={"ignored": {}})
        choose_task(x, deps)
    assert isinstance(x.target, ToolTask)
    assert (x.target.exposed, x.target.own, x.retry) == ("t", "task-1", Retry("installation", None, None))


@pytest.mark.parametrize(("given", "sent"), [({"a": {"action": "accept"}}, {"a": {"action": "accept"}}), (None, {})])
async def test_answers_go_along(given: object, sent: dict[str, object]) -> None:
    async with parts() as deps:
        x = asked(deps, "tasks/update", inputResponses=given)
        choose_task(x, deps)
    assert x.retry == Retry("installation", None, sent)


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"taskId": None}, -32602, "must be a string"),
        ({"taskId": "task-1"}, -32602, "not given to you"),
        ({"tools": ()}, -32602, "not on this gateway any more"),
        ({"meta": {}}, -32021, "declares the extension"),
        ({"method": "tasks/update", "inputResponses": 3}, -32602, "inputResponses"),
    ],
)
async def test_what_is_no_request_about_a_task_is_said_to_be_wrong(changed: Any, code: int, words: str) -> None:
    async with parts() as deps:
        x = asked(deps, **({"method": "tasks/get"} | changed))
        with pytest.raises(MessageFault, match=words) as fault:
            choose_task(x, deps)
    assert fault.value.code == code
