"""A task of a tool, which a request is about: what its server is asked, and what is taken for an answer.

Made by `proxy/stages/choose_task.py`; what of a task's state goes to the caller, `proxy/stages/pass_on_task.py` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from core.mcp.faults import INVALID_PARAMS
from core.mcp.methods import TASKS_GET
from core.mcp.param_headers import ParamHeaders
from core.snapshot import Route, Rule
from proxy.gateways.compiled import CompiledTool


@dataclass(frozen=True, slots=True)
class ToolTask:
    """What a request about a task is for (`proxy.exchange.Target`): its tool, of which it is a call."""

    tool: CompiledTool
    method: str
    """Of the request, for the caller and for the server."""
    own: str
    """The server's identifier of the task."""

    param_headers: ClassVar[ParamHeaders] = ()

    @property
    def exposed(self) -> str:
        """The tool's name on the gateway."""
        return self.tool.exposed

    @property
    def assignment_id(self) -> str:
        """The assignment that put the tool on the gateway."""
        return self.tool.assignment_id

    @property
    def route(self) -> Route:
        """How the tool is reached."""
        return self.tool.route

    @property
    def rule(self) -> Rule | None:
        """The tool's: nobody hears of the tasks of a tool that may not be called."""
        return self.tool.rule

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """The same, by the server's identifier. Answers for the server are added by who sends it."""
        return self.method, {"taskId": self.own}

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """Of `tasks/get` the task, marked as one (`resultType`), so that it is passed on as one; of the others, that
        the server has taken note. None for a result of another kind.
        """
        if result.get("resultType", "complete") != "complete":
            return None
        return {**result, "resultType": "task"} if self.method == TASKS_GET else {}

    def instead_of(self, code: object) -> dict[str, object] | None:
        """Nothing."""
        return None

    def is_callers_fault(self, code: object) -> bool:
        """Whether a server's error says that it has no such task, or that the answers are wrong."""
        return code == INVALID_PARAMS
