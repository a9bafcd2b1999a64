"""Search tools: what `search_tools` answers, from the index of the gateway's tools.

Whatever the gateway does not list, this does not find: what an index of a moment before finds beside that is no hit.
Of each hit it says whether the caller can call it now: with a credential that is known here, or after control was
asked, for all hits at once.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson

from core.mcp.faults import INVALID_PARAMS, MessageFault, result_message
from core.mcp.shapes import result_for_legacy, result_for_modern
from core.mcp.versions import Era
from core.resolve import InstallationQuestion
from core.snapshot import Route
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.built_in_tools import LONGEST_QUERY, MOST_HITS, SEARCH, USUAL_LIMIT
from proxy.gateways.compiled import CompiledTool
from proxy.gateways.tool_search import signature
from proxy.refusals import Refusal
from proxy.resolve.installations import whose

_HERE: Final = CompiledTool(SEARCH, "", "", Route("process", "", "archway"), None, ())
"""What a search is for, to limits and records: no server is asked."""


def choose_search(x: Exchange, _: Deps) -> None:
    """Fill the target. Raises MessageFault for a query or limit of another shape."""
    arguments = x.request.params.get("arguments")
    given = arguments if isinstance(arguments, dict) else {}
    query, limit = given.get("query"), given.get("limit", USUAL_LIMIT)
    if not isinstance(query, str) or not 1 <= len(query.strip()) <= LONGEST_QUERY:
        raise _wrong(x, f"arguments.query must be a text of 1 to {LONGEST_QUERY} characters.")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_HITS:
        raise _wrong(x, f"arguments.limit must be a whole number of 1 to {MOST_HITS}.")
    x.target = _HERE


async def search_tools(x: Exchange, deps: Deps) -> None:
    """Fill the answer."""
    assert x.gateway is not None
    given: dict[str, Any] = x.request.params["arguments"]  # type: ignore[assignment]  # it was looked at
    index, listed = await deps.searches.of(x.gateway), x.gateway.visible
    names = [name for name in index.find(given["query"]) if name in listed][: given.get("limit", USUAL_LIMIT)]
    found = [(x.gateway.tools[name], listed[name]) for name in names]
    usable = await asyncio.gather(*(_is_usable(x, deps, tool) for tool, _ in found))
    told = [_told(tool, definition, how) for (tool, definition), how in zip(found, usable, strict=True)]
    text = orjson.dumps({"tools": told}).decode()
    result: dict[str, object] = {
        "content": [{"type": "text", "text": text}],
        "structuredContent": {"tools": told},
        "isError": False,
    }
    shaped = (
        result_for_modern(result, x.gateway.server_info)
        if x.era is Era.MODERN
        else result_for_legacy(result, x.version)
    )
    body = orjson.dumps(result_message(x.request.id, shaped))
    x.status, x.answer, x.bytes_out = "ok", Answer(200, body), len(body)


def _told(tool: CompiledTool, definition: Mapping[str, Any], why_not: str) -> dict[str, object]:
    told: dict[str, object] = {
        "name": tool.exposed,
        "description": definition.get("description", ""),
        "server": tool.route.entry,
        "signature": signature(definition),
        "usable": not why_not,
    }
    return {**told, "why_not": why_not} if why_not else told


async def _is_usable(x: Exchange, deps: Deps, tool: CompiledTool) -> str:
    """Why the caller cannot call a tool now; empty where they can."""
    assert x.gateway is not None
    key = deps.installations.key(x.gateway.id, tool.assignment_id, whose(tool.route, x.caller))
    question = InstallationQuestion.of(x.caller.proof, x.gateway.id, tool.assignment_id)
    if deps.installations.known(key, question) is not None:
        return ""
    try:
        await deps.installations.resolve(key, question)
    except Refusal as refusal:
        return f"{refusal.sentence} {refusal.link}".rstrip()
    except SourceUnreachable:
        return "It cannot be told now whether there is a credential for it."
    return ""


def _wrong(x: Exchange, sentence: str) -> MessageFault:
    return MessageFault(INVALID_PARAMS, sentence, 400 if x.era is Era.MODERN else 200, x.request.id)
