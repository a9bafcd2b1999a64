"""An MCP server of the Python SDK, of both eras, with tools that the conformance suite asks for by name.

argv: port, and the file that says where its gateways are administered.

`run.py` puts it behind a gateway. Left out are the tools for what no gateway does yet: see `expected_failures_*.yml`.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError

from tests.conformance import list_changes, offers, questions, tasks
from tests.conformance.offers import PIXEL
from tests.conformance.questions import TEXT
from tests.fakes.kept_events import KeptEvents

Context = Any
Content = list[Any]
Play = Callable[[Context, dict[str, Any]], Awaitable[Content]]

SILENCE = base64.b64encode(
    b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\2\0\0\0\0\0"
).decode()
NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
ANY_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
"""Every keyword that the suite looks for, to see whether a list of tools keeps it."""


KEPT = KeptEvents()
"""With it the server gives its events ids in legacy sessions."""


class ToolFailed(Exception):
    """Becomes the tool's answer."""


def text(said: str) -> types.TextContent:
    return types.TextContent(type="text", text=said)


def image() -> types.ImageContent:
    return types.ImageContent(type="image", data=PIXEL, mime_type="image/png")


def resource(uri: str, mime_type: str, said: str) -> types.EmbeddedResource:
    inside = types.TextResourceContents(uri=uri, mime_type=mime_type, text=said)
    return types.EmbeddedResource(type="resource", resource=inside)


def always(*content: Any) -> Play:
    async def play(_: Context, _arguments: dict[str, Any]) -> Content:
        return list(content)

    return play


async def fails(_: Context, _arguments: dict[str, Any]) -> Content:
    raise ToolFailed("This tool intentionally returns an error for testing")


async def makes_progress(context: Context, _: dict[str, Any]) -> Content:
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
        await asyncio.sleep(0.05)
    return [text("all of it")]


async def logs(context: Context, _: dict[str, Any]) -> Content:
    for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", said, related_request_id=context.request_id)
        await asyncio.sleep(0.05)
    return [text("all is logged")]


async def samples(context: Context, params: types.CallToolRequestParams) -> str:
    asked = questions.model(str((params.arguments or {})["prompt"]))
    return f"LLM response: {await questions.answers(context, params, [({'prompted': asked}, None)])}"


async def elicits(context: Context, params: types.CallToolRequestParams) -> str:
    asked = questions.form(str((params.arguments or {})["message"]), {"username": TEXT, "email": TEXT})
    return f"User response: {await questions.answers(context, params, [({'asked': asked}, None)])}"


async def greets(_: Context, arguments: dict[str, Any]) -> Content:
    return [text(f"Hello, {arguments['name']}!")]


ASKING = {"test_sampling": ("prompt", samples), "test_elicitation": ("message", elicits)}
"""By their names: the tools that ask with an argument of their own."""


async def ends_its_stream(context: Context, _: dict[str, Any]) -> Content:
    """Only when the stream is asked for again is there more."""
    if context.close_sse_stream is not None:  # a modern caller's stream stays open
        before = KEPT.taken_up
        await context.close_sse_stream()
        async with asyncio.timeout(20):
            while KEPT.taken_up == before:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.05)
    return [text("the stream was taken up")]


async def needs_sampling(context: Context, _: dict[str, Any]) -> Content:
    if not context.session.check_client_capability(types.ClientCapabilities(sampling=types.SamplingCapability())):
        required = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(-32021, "This tool needs a client that samples", required)
    return [text("it samples")]


def needs(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string", **more}}, "required": [name]}


MIXED = (
    text("Multiple content types test:"),
    image(),
    resource("test://mixed", "application/json", '{"value": 123}'),
)
TOOLS: dict[str, tuple[dict[str, Any], Play]] = {
    "a_plain_tool": (NOTHING, always(text("done"))),  # the first of the list, which the suite calls where any will do
    "test_simple_text": (NOTHING, always(text("This is a simple text response for testing."))),
    "test_image_content": (NOTHING, always(image())),
    "test_audio_content": (
        NOTHING,
        always(types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")),
    ),
    "test_embedded_resource": (NOTHING, always(resource("test://embedded-resource", "text/plain", "embedded"))),
    "test_multiple_content_types": (NOTHING, always(*MIXED)),
    "test_error_handling": (NOTHING, fails),
    "test_tool_with_progress": (NOTHING, makes_progress),
    "test_streaming_elicitation": (NOTHING, makes_progress),
    "test_tool_with_logging": (NOTHING, logs),
    "test_logging_tool": (NOTHING, logs),
    "test_reconnection": (NOTHING, ends_its_stream),
    "test_missing_capability": (NOTHING, needs_sampling),
    "greet": (needs("name"), greets),
    "test_header_parameter": (needs("region", **{"x-mcp-header": "Region"}), always(text("there"))),
    list_changes.SPARE: (NOTHING, always(text("spare"))),
    "json_schema_2020_12_tool": (ANY_SCHEMA, always(text("ok"))),
}


async def list_tools(_: Context, _params: object) -> types.ListToolsResult:
    listed = [types.Tool(name=name, description=name, input_schema=schema) for name, (schema, _) in TOOLS.items()]
    listed += [
        types.Tool(name=name, description=name, input_schema=NOTHING) for name in (*questions.NAMES, *tasks.TOOLS)
    ]
    listed += [types.Tool(name=name, description=name, input_schema=needs(own)) for name, (own, _) in ASKING.items()]
    return types.ListToolsResult(tools=listed)


async def call_tool(
    context: Context, params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    if params.name in tasks.TOOLS:
        try:
            return cast("types.CallToolResult", await TASKS.call(context, params))
        except questions.Asks as asks:
            return asks.result
    if params.name in questions.NAMES:
        return await questions.play(context, params)
    if params.name in ASKING:
        try:
            return questions.done(await ASKING[params.name][1](context, params))
        except questions.Asks as asks:
            return asks.result
    _, play = TOOLS[params.name]
    try:
        return types.CallToolResult(content=await play(context, params.arguments or {}))
    except ToolFailed as error:
        return types.CallToolResult(content=[text(str(error))], is_error=True)


TASKS = tasks.Tasks()


async def set_level(_: Context, _params: object) -> types.EmptyResult:
    return types.EmptyResult()


if __name__ == "__main__":
    TOOLS |= {name: (NOTHING, list_changes.trigger(Path(sys.argv[2]), name)) for name in list_changes.TRIGGERS}
    server = Server(
        "conformance", version="1", on_list_tools=list_tools, on_call_tool=call_tool, on_set_logging_level=set_level,
        on_list_prompts=offers.list_prompts, on_get_prompt=offers.get_prompt, on_completion=offers.complete,
        on_list_resources=offers.list_resources, on_list_resource_templates=offers.list_templates,
        on_read_resource=offers.read_resource, on_subscribe_resource=offers.subscribe,
        on_unsubscribe_resource=offers.subscribe, on_subscriptions_listen=ListenHandler(InMemorySubscriptionBus()),
    )  # fmt: skip
    TASKS.serve(server)
    app = server.streamable_http_app(event_store=KEPT, retry_interval=100)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
