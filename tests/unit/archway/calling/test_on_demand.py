"""A gateway that lists two tools in place of all is told from one that lists its tools."""

from __future__ import annotations

from typing import Any

from archway.calling.on_demand import runs_by_name
from proxy.gateways.built_in_tools import built_in_tools


def test_the_two_tools_of_a_gateway_are_known() -> None:
    found = runs_by_name(built_in_tools([]))
    assert found is not None
    assert found["name"] == "run_tool"


def test_a_list_of_tools_is_what_it_says() -> None:
    others: list[dict[str, Any]] = [{"name": "search_tools"}, {"name": "run_tool", "inputSchema": {"type": "object"}}]
    assert runs_by_name([]) is None
    assert runs_by_name(others) is None
    assert runs_by_name([*built_in_tools([]), {"name": "other"}]) is None
