"""Choose the tool: the name in the message, looked up on this gateway, byte for byte.

Unknown, unassigned and another gateway's are one answer. The prefix of a name is never parsed.
"""

from core.mcp.faults import HEADER_MISMATCH, INVALID_PARAMS, MessageFault
from core.mcp.param_headers import first_wrong_param_header
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.gateways.built_in_tools import RUN
from proxy.refusals import Refusal
from proxy.stages.run_tool import check_arguments, run_target
from proxy.stages.take_answers import has_answers, take_answers


def choose_tool(x: Exchange, deps: Deps) -> None:
    """Fill the target. Refuses `tool_unknown`; raises MessageFault for parameters of another shape."""
    assert x.gateway is not None
    request = x.request
    name, arguments = request.params.get("name"), request.params.get("arguments", {})
    status = 400 if x.era is Era.MODERN else 200
    if not isinstance(name, str):
        raise MessageFault(INVALID_PARAMS, "params.name must be a string.", status, request.id)
    if arguments is None:
        arguments = request.params["arguments"] = {}
    if not isinstance(arguments, dict):
        raise MessageFault(INVALID_PARAMS, "params.arguments must be an object.", status, request.id)
    ran = name == RUN and x.gateway.searches and name not in x.gateway.tools
    if ran:
        name, arguments = run_target(x, arguments)
    if has_answers(x):
        take_answers(x, deps)  # to a question about the tool that runs
    tool = x.gateway.tools.get(name)
    if tool is None:
        raise Refusal("tool_unknown", tool=name[:128])
    x.target = tool
    if ran:
        check_arguments(x, tool)
        return
    if x.era is Era.MODERN and tool.param_headers:
        wrong = first_wrong_param_header(tool.param_headers, arguments, x.headers)
        if wrong is not None:
            raise MessageFault(HEADER_MISMATCH, f"The header {wrong} does not mirror its argument.", 400, request.id)
