"""Choose the task: whose it is that a request names, on this gateway, and of which tool.

Called for `tasks/get`, `tasks/update` and `tasks/cancel` of the Tasks extension of MCP 2026-07-28. The stages after
it are those of a call of the tool: its rule, its limits, its credential, its record.
"""

from core.mcp.extensions import TASKS, knows_tasks
from core.mcp.faults import INVALID_PARAMS, MISSING_CAPABILITY, MessageFault
from core.mcp.methods import TASKS_UPDATE
from core.sealing import SealBroken
from proxy.deps import Deps
from proxy.exchange import Exchange, Retry
from proxy.offered.task import ToolTask
from proxy.sessions.task_ids import LIFETIME_S, TaskGone, open_task
from proxy.stages.take_answers import answers_for_server, no_such_task

_DAYS = LIFETIME_S // 86_400


def choose_task(x: Exchange, deps: Deps) -> None:
    """Fill the target, and to which server it goes. Raises MessageFault for a task that is none here, for
    answers that are none, and for a client that does not declare the extension.
    """
    assert x.gateway is not None
    request = x.request
    if not knows_tasks(request.meta):
        required: dict[str, object] = {"requiredCapabilities": {"extensions": {TASKS: {}}}}
        words = f"A client that asks about tasks declares the extension {TASKS} in its capabilities."
        raise MessageFault(MISSING_CAPABILITY, words, 400, request.id, required)
    named = request.params.get("taskId")
    if not isinstance(named, str):
        raise MessageFault(INVALID_PARAMS, "params.taskId must be a string.", 400, request.id)
    try:
        task = open_task(deps.settings.key_ring, named, (x.gateway.id, x.caller.key))
    except TaskGone:
        raise no_such_task(x, f"it was begun more than {_DAYS} days ago") from None
    except SealBroken:
        raise no_such_task(x, "it was not given to you on this gateway") from None
    tool = x.gateway.tools.get(task.tool)
    if tool is None:
        raise no_such_task(x, "its tool is not on this gateway any more")
    answers = None
    if request.method == TASKS_UPDATE:
        answers = answers_for_server(x, request.params.get("inputResponses"))
    x.target, x.retry = ToolTask(tool, request.method, task.theirs), Retry(task.place, None, answers)
