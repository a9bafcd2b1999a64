"""A modern MCP server on loopback with a tool whose calls become tasks (SEP-2663), for tests of the proxy."""

from __future__ import annotations

from typing import Any

from tests.fakes.mcp_upstream import Answer, McpUpstream, Received

TASKS = "io.modelcontextprotocol/tasks"
TIMES = {"createdAt": "2026-11-29T10:00:00Z", "lastUpdatedAt": "2026-11-29T10:00:01Z"}
OWN = "task-1"
"""The server's identifier of its task."""


class TaskServer(McpUpstream):
    """A modern server with a tool whose call becomes a task, if its client knows tasks; it has one at a time."""

    def __init__(self) -> None:
        super().__init__(era="modern")
        self.begun: dict[str, Any] = {"taskId": OWN, "status": "working", "ttlMs": None, "pollIntervalMs": 100}
        self.now: dict[str, Any] = {"status": "working"}
        """What `tasks/get` says."""
        self.tool("slow", self._begin)
        self.on("tasks/get", self._get)
        self.on("tasks/update", self._take_note)
        self.on("tasks/cancel", self._take_note)

    def _begin(self, received: Received) -> Answer:
        declared = received.meta["io.modelcontextprotocol/clientCapabilities"]
        if TASKS not in declared.get("extensions", {}):
            return Answer(text="done at once")
        return Answer(result={"resultType": "task", **TIMES, **self.begun})

    def _get(self, received: Received) -> Answer:
        if received.params["taskId"] != OWN:
            return Answer(error=(-32602, "Task not found"))
        return Answer(result={**TIMES, "taskId": OWN, "ttlMs": None, **self.now})

    def _take_note(self, received: Received) -> Answer:
        return Answer(result={}) if received.params["taskId"] == OWN else Answer(error=(-32602, "Task not found"))
