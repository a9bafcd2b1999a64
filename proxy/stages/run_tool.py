"""Run a tool: a call of `run_tool` becomes the call of the tool that it names, from "choose the tool" on.

Once: neither built-in tool can be run so. Limits, policy, credential and record are then the named tool's. Arguments
that its schema does not allow are answered with the schema, since a model that found it by a search has not read it.
"""

from dataclasses import replace
from typing import Final

import orjson

from core.mcp.faults import INVALID_PARAMS, MessageFault
from core.mcp.versions import Era
from proxy.exchange import Exchange
from proxy.gateways.compiled import CompiledTool
from proxy.gateways.judged_schemas import why_wrong
from proxy.refusals import Refusal

LARGEST_SCHEMA: Final = 64 << 10
"""Bytes of a schema that is checked against, and told."""


def run_target(x: Exchange, arguments: dict[str, object]) -> tuple[str, dict[str, object]]:
    """The name and the arguments that are meant; the request is theirs from here on. Raises MessageFault."""
    name, given = arguments.get("tool_name"), arguments.get("tool_args", {})
    if not isinstance(name, str):
        raise _wrong(x, "arguments.tool_name must be a string: a name that search_tools returned.")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise _wrong(x, "arguments.tool_args must be an object.")
    x.message = replace(x.request, params={**x.request.params, "name": name, "arguments": given})
    x.ran = True
    return name, given


def check_arguments(x: Exchange, tool: CompiledTool) -> None:
    """Refuses `wrong_arguments`, with the schema, for what the tool's schema does not allow."""
    assert x.gateway is not None
    definition = x.gateway.definition(tool.exposed)
    schema = definition.get("inputSchema")
    written = orjson.dumps(schema)
    if not isinstance(schema, dict) or len(written) > LARGEST_SCHEMA:
        return  # its server judges
    why = why_wrong(schema, x.request.params["arguments"])
    if why:
        raise Refusal("wrong_arguments", tool=tool.exposed, why=why, text=f"Its schema: {written.decode()}")


def _wrong(x: Exchange, sentence: str) -> MessageFault:
    return MessageFault(INVALID_PARAMS, sentence, 400 if x.era is Era.MODERN else 200, x.request.id)
