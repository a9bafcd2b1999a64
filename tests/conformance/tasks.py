"""Tools whose calls become tasks, as the conformance suite has them (SEP-2663), on the Python SDK's server.

The SDK lets a server answer with results of an extension and serve methods of one, and leaves the rest to it. Only
clients that declare the extension, which are modern, get tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from core.identifiers import new_id
from core.mcp.extensions import TASKS
from tests.conformance import questions

Context = Any
Json = dict[str, Any]
TTL_MS: Final = 60_000
AT_ONCE: Final = "slow_compute"
"""The tool that answers at once a client that knows no tasks; the others run only as tasks."""


@dataclass
class Task:
    """A call that goes on."""

    id: str = field(default_factory=new_id)
    status: str = "working"
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    asked: Json = field(default_factory=dict)
    answers: Json = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    inside: Json = field(default_factory=dict)
    """The result or the error."""
    work: asyncio.Task[None] | None = None

    def told(self) -> Json:
        asks = {"inputRequests": self.asked} if self.status == "input_required" else {}
        return {
            "taskId": self.id, "status": self.status, "createdAt": self.created, "pollIntervalMs": 100,
            "lastUpdatedAt": datetime.now(UTC).isoformat(), "ttlMs": TTL_MS, **asks, **self.inside,
        }  # fmt: skip

    async def ask(self, asked: Json) -> Json:
        """The client's answers to all of it."""
        self.asked, self.status = asked, "input_required"
        await self.answered.wait()
        self.status = "working"
        return self.answers

    def answer(self, given: Json) -> None:
        known = {key: value for key, value in given.items() if key in self.asked}
        self.answers |= known
        self.asked = {key: value for key, value in self.asked.items() if key not in known}
        if known and not self.asked:
            self.answered.set()

    async def run(self, play: Play, arguments: Json) -> None:
        try:
            text, failed = await play(self, arguments)
        except asyncio.CancelledError:
            self.status = "cancelled"
        except MCPError as error:
            self.inside, self.status = {"error": {"code": error.code, "message": str(error)}}, "failed"
        else:
            content = [{"type": "text", "text": text}]
            self.inside, self.status = {"result": {"content": content, "isError": failed}}, "completed"


Play = Callable[[Task, Json], Awaitable[tuple[str, bool]]]
"""What a tool does: its text, and whether it failed."""


async def slow_compute(_: Task, arguments: Json) -> tuple[str, bool]:
    await asyncio.sleep(float(arguments.get("seconds", 0)))
    return "computed", False


async def failing_job(_: Task, _arguments: Json) -> tuple[str, bool]:
    await asyncio.sleep(0.2)
    return "this job always fails", True


async def protocol_error_job(_: Task, _arguments: Json) -> tuple[str, bool]:
    raise MCPError(-32603, "This job breaks the protocol")


async def confirm_delete(task: Task, arguments: Json) -> tuple[str, bool]:
    await task.ask({"confirm": questions.CONFIRM})
    return f"deleted {arguments.get('filename')}", False


async def multi_input(task: Task, _: Json) -> tuple[str, bool]:
    await task.ask({"first": questions.NAME, "second": questions.CONFIRM})
    return "both are known", False


async def greets(_: Task, arguments: Json) -> tuple[str, bool]:
    return f"Hello! You said {arguments['user_name']}", False


TOOLS: Final[dict[str, Play]] = {
    "slow_compute": slow_compute,
    "failing_job": failing_job,
    "protocol_error_job": protocol_error_job,
    "confirm_delete": confirm_delete,
    "multi_input": multi_input,
    "test_tool_with_task": greets,
}


class OfTask(types.RequestParams):
    """Parameters of the extension's methods."""

    task_id: str
    input_responses: dict[str, Any] | None = None


class Tasks:
    """All of one server."""

    def __init__(self) -> None:
        self._held: dict[str, Task] = {}

    def serve(self, server: Server[Any]) -> None:
        """Say that the server has the extension, and answer its methods."""
        server.extensions[TASKS] = {}
        server.add_request_handler("tasks/get", OfTask, self._get)
        server.add_request_handler("tasks/update", OfTask, self._update)
        server.add_request_handler("tasks/cancel", OfTask, self._cancel)

    async def call(self, context: Context, params: types.CallToolRequestParams) -> Any:
        """The task that a call begins; for a client that knows none, the result, where a tool can give one."""
        arguments, play = params.arguments or {}, TOOLS[params.name]
        wanted = types.ClientCapabilities(extensions={TASKS: {}})
        task = Task()
        if not context.session.check_client_capability(wanted):
            if params.name != AT_ONCE:
                raise MCPError(-32021, "This runs as a task", {"requiredCapabilities": {"extensions": {TASKS: {}}}})
            await task.run(play, arguments)
            return types.CallToolResult.model_validate(task.inside["result"])
        if params.name == "test_tool_with_task":
            arguments = await questions.answers(context, params, [({"user_name": questions.NAME}, None)])
        self._held[task.id] = task
        told = {"resultType": "task", **task.told()}
        task.work = asyncio.create_task(task.run(play, arguments))  # noqa: TID251 - a server of the tests
        return told

    async def _get(self, _: Context, params: OfTask) -> Json:
        return self._of(params).told()

    async def _update(self, _: Context, params: OfTask) -> Json:
        self._of(params).answer(params.input_responses or {})
        return {}

    async def _cancel(self, _: Context, params: OfTask) -> Json:
        work = self._of(params).work
        assert work is not None
        work.cancel()
        return {}

    def _of(self, params: OfTask) -> Task:
        if params.task_id not in self._held:
            raise MCPError(-32602, "Task not found")
        return self._held[params.task_id]
