"""`search_tools` and `run_tool`: what a gateway lists in place of its tools, where those are loaded when needed.

Both are implicit: nobody assigns them, and no server has them. A model looks for a tool with the one and calls it
with the other; a client may call any tool of the gateway by its own name as well. `run_tool` is said to be
destructive unless every tool that it can reach only reads: a client that asks its person before a tool runs sees
`run_tool` alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

SEARCH: Final = "search_tools"
RUN: Final = "run_tool"
LONGEST_QUERY: Final = 200
USUAL_LIMIT: Final = 8
MOST_HITS: Final = 20


def built_in_tools(definitions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Both, as `tools/list` shows them, before tools with these definitions."""
    return [
        {
            "name": SEARCH,
            "title": "Search tools",
            "description": "Find tools of this gateway by what they do. Returns for each its name, what it does, and "
            f"its arguments. Call what you found with {RUN}.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": LONGEST_QUERY,
                        "description": "Words for what the tool should do, such as: create an issue",
                    },
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST_HITS,
                        "default": USUAL_LIMIT,
                        "description": "How many tools to return.",
                    },
                },
                "required": ["query"],
                "additionalProperties": False,
            },
            "annotations": {"readOnlyHint": True, "openWorldHint": False},
        },
        {
            "name": RUN,
            "title": "Run a tool",
            "description": f"Call a tool of this gateway that {SEARCH} found, by its name, with its arguments.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "tool_name": {"type": "string", "description": f"The name, as {SEARCH} returned it."},
                    "tool_args": {"type": "object", "description": "The tool's arguments, as its schema says."},
                },
                "required": ["tool_name"],
                "additionalProperties": False,
            },
            "annotations": _annotations(definitions),
        },
    ]


def _annotations(definitions: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    only_read = all((one.get("annotations") or {}).get("readOnlyHint") is True for one in definitions)
    return {"readOnlyHint": only_read, "destructiveHint": not only_read, "openWorldHint": True}
