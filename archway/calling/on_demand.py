"""Gateways that list `search_tools` and `run_tool` in place of their tools, as a client tells them.

Called by `archway call`, so that a tool that is in no list can be called by its name. The gateway makes both tools
(`proxy/gateways/built_in_tools.py`); here they are known by their names and by what `run_tool` takes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_SEARCH, _RUN = "search_tools", "run_tool"
_TAKES = {"tool_name", "tool_args"}


def runs_by_name(listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The definition of `run_tool` where the list is these two; None where it is of the tools themselves."""
    named = {one.get("name"): one for one in listed}
    if named.keys() != {_SEARCH, _RUN}:
        return None
    schema = named[_RUN].get("inputSchema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return named[_RUN] if isinstance(properties, dict) and properties.keys() == _TAKES else None
