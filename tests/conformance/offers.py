"""Prompts, resources and completions that the conformance suite asks a server for by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.conformance import questions

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
_TEMPLATE = "test://template/{id}/data"
_TEXTS = {
    "test://static-text": "This is the content of the static text resource.",
    "test://watched-resource": "Watched resource content",
}
_BINARY = "test://static-binary"


def said(text: str) -> types.PromptMessage:
    return types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))


def embedded(uri: str) -> types.PromptMessage:
    inside = types.TextResourceContents(uri=uri, mime_type="text/plain", text="Embedded resource for testing.")
    return types.PromptMessage(role="user", content=types.EmbeddedResource(type="resource", resource=inside))


def arguments(*names: str) -> list[types.PromptArgument]:
    return [types.PromptArgument(name=name, description=name, required=True) for name in names]


PROMPTS = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": arguments("arg1", "arg2"),
    "test_prompt_with_embedded_resource": arguments("resourceUri"),
    "test_prompt_with_image": [],
    questions.PROMPT: [],
}


def messages(name: str, given: Mapping[str, str]) -> list[types.PromptMessage]:
    match name:
        case "test_simple_prompt":
            return [said("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            return [said(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
        case "test_prompt_with_embedded_resource":
            return [embedded(given["resourceUri"]), said("Please process the embedded resource above.")]
        case "test_prompt_with_image":
            image = types.ImageContent(type="image", data=PIXEL, mime_type="image/png")
            return [types.PromptMessage(role="user", content=image), said("Please analyze the image above.")]
    raise MCPError(-32602, f"Unknown prompt: {name}")


async def list_prompts(_: Any, _params: object) -> types.ListPromptsResult:
    listed = [types.Prompt(name=name, description=name, arguments=given) for name, given in PROMPTS.items()]
    return types.ListPromptsResult(prompts=listed)


async def get_prompt(
    context: Any, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    if params.name == questions.PROMPT:
        return await questions.get_prompt(context, params)
    return types.GetPromptResult(messages=messages(params.name, params.arguments or {}))


async def list_resources(_: Any, _params: object) -> types.ListResourcesResult:
    listed = [types.Resource(uri=uri, name=uri, mime_type="text/plain") for uri in _TEXTS]
    listed.append(types.Resource(uri=_BINARY, name=_BINARY, mime_type="image/png"))
    return types.ListResourcesResult(resources=listed)


async def list_templates(_: Any, _params: object) -> types.ListResourceTemplatesResult:
    listed = [types.ResourceTemplate(uri_template=_TEMPLATE, name="template", mime_type="application/json")]
    return types.ListResourceTemplatesResult(resource_templates=listed)


async def read_resource(_: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    uri = str(params.uri)
    if uri == _BINARY:
        contents: Any = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL)
    elif uri in _TEXTS:
        contents = types.TextResourceContents(uri=uri, mime_type="text/plain", text=_TEXTS[uri])
    elif uri.startswith("test://template/"):
        told = f'{{"id": "{uri.split("/")[3]}", "templateTest": true}}'
        contents = types.TextResourceContents(uri=uri, mime_type="application/json", text=told)
    else:
        raise MCPError(-32602, f"Resource not found: {uri}", {"uri": uri})
    return types.ReadResourceResult(contents=[contents])


async def subscribe(_: Any, _params: object) -> types.EmptyResult:
    """That it will tell of a resource, or will no more: the suite lets none of them change."""
    return types.EmptyResult()


async def complete(_: Any, params: types.CompleteRequestParams) -> types.CompleteResult:
    values = [one for one in ("paris", "park", "party") if one.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))
