"""Tools and a prompt that ask in the middle of a call, as the conformance suite has them for both eras.

Each asks as the era of its session has it: a legacy client with requests of the server, a modern one with a result
that the client answers by calling again. So behind a gateway the same tool is asked by clients of either era.
"""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata

MODERN = "2026-07-28"
STATE = "state-of-the-server"
Asked = dict[str, dict[str, Any]]
Context = Any


class Asks(Exception):
    """A modern client is asked."""

    def __init__(self, asked: Asked, state: str | None) -> None:
        super().__init__()
        self.result = types.InputRequiredResult.model_validate({"inputRequests": asked, "requestState": state})


def form(message: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": []}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def model(said: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": {"type": "text", "text": said}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}}


def titled(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"const": value, "title": title} for value, title in pairs]


TEXT = {"type": "string"}
NAME = form("What is your name?", {"name": TEXT})
CONFIRM = form("Please confirm", {"ok": {"type": "boolean"}})
ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {"type": "string", "oneOf": titled(("value1", "First Option"), ("value2", "Second Option"))},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
    "titledMulti": {
        "type": "array",
        "items": {"anyOf": titled(("value1", "First Choice"), ("value2", "Second Choice"))},
    },
}
ROUNDS: dict[str, list[tuple[Asked, str | None]]] = {
    "test_input_required_result_elicitation": [({"user_name": NAME}, None)],
    "test_input_required_result_sampling": [({"capital_question": model("What is the capital of France?")}, None)],
    "test_input_required_result_list_roots": [({"client_roots": ROOTS}, None)],
    "test_input_required_result_request_state": [({"confirm": CONFIRM}, STATE)],
    "test_input_required_result_tampered_state": [({"confirm": CONFIRM}, STATE)],
    "test_input_required_result_multiple_inputs": [
        ({"user_name": NAME, "greeting": model("Generate a greeting"), "client_roots": ROOTS}, STATE)
    ],
    "test_input_required_result_multi_round": [
        ({"step1": form("Step 1: What is your name?", {"name": TEXT})}, "round-1"),
        ({"step2": form("Step 2: What is your favorite color?", {"color": TEXT})}, "round-2"),
    ],
    "test_elicitation_sep1034_defaults": [({"filled": form("Please fill it in", DEFAULTS)}, None)],
    "test_elicitation_sep1330_enums": [({"filled": form("Please fill it in", ENUMS)}, None)],
}
"""By its tool: what it asks, round by round, and the state that it gives to a modern client."""
CAPABILITIES = "test_input_required_result_capabilities"
PROMPT = "test_input_required_result_prompt"
NAMES = (*ROUNDS, CAPABILITIES)


async def answers(context: Context, params: Any, rounds: list[tuple[Asked, str | None]]) -> dict[str, Any]:
    """What the client says to all of it. Raises Asks where a modern one must be asked first."""
    if context.protocol_version != MODERN:
        beside = ServerMessageMetadata(related_request_id=context.request_id)
        return {
            key: await context.session.send_request(
                REQUESTS[one["method"]](one), RESULTS[one["method"]], metadata=beside
            )
            for asked, _ in rounds
            for key, one in asked.items()
        }
    given = params.input_responses or {}
    states = [state for _, state in rounds]
    at = states.index(params.request_state) + 1 if params.request_state in states and states[0] is not None else 0
    if at == 0 and params.request_state is not None and states[0] is not None:
        raise MCPError(-32602, "This state is none of ours")
    asked, _ = rounds[max(at - 1, 0)]
    if not asked.keys() <= given.keys():
        raise Asks(*rounds[max(at - 1, 0)])
    if 0 < at < len(rounds):
        raise Asks(*rounds[at])
    return dict(given)


REQUESTS = {
    "elicitation/create": types.ElicitRequest.model_validate,
    "sampling/createMessage": types.CreateMessageRequest.model_validate,
    "roots/list": types.ListRootsRequest.model_validate,
}
RESULTS = {
    "elicitation/create": types.ElicitResult,
    "sampling/createMessage": types.CreateMessageResult,
    "roots/list": types.ListRootsResult,
}


def done(said: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=said)])


async def play(context: Context, params: Any) -> types.CallToolResult | types.InputRequiredResult:
    """What one of these tools answers."""
    rounds = [] if params.name == CAPABILITIES else ROUNDS[params.name]
    if params.name == CAPABILITIES:
        can = context.session.client_capabilities
        rounds = [
            ({"ask": NAME if can is not None and can.elicitation is not None else model("Say something")}, None)
        ]
    try:
        said = await answers(context, params, rounds)
    except Asks as asks:
        return asks.result
    return done(f"state-ok, all is said: {said}")


async def get_prompt(context: Context, params: Any) -> types.GetPromptResult | types.InputRequiredResult:
    rounds = [({"user_context": form("What context should the prompt use?", {"context": TEXT})}, None)]
    try:
        said = types.TextContent(type="text", text=f"with {await answers(context, params, rounds)}")
    except Asks as asks:
        return asks.result
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=said)])
