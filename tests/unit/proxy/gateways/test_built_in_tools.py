from __future__ import annotations

import pytest

from core.mcp.versions import Era
from core.snapshot import Gateway
from proxy.gateways.built_in_tools import RUN, SEARCH, built_in_tools
from proxy.gateways.compiled import CompiledGateway
from tests.fakes.call_parts import gateway, tool

READS = {"annotations": {"readOnlyHint": True}}


def test_both_are_listed_in_place_of_the_tools_which_can_be_called_all_the_same() -> None:
    held = CompiledGateway(gateway([tool("a"), tool("b")], tool_loading="search_and_run"))
    page = held.tool_lists[Era.MODERN][None]
    assert [name for name in (SEARCH, RUN) if name.encode() in page] == [SEARCH, RUN]
    assert b'"name":"a"' not in page
    assert held.tools.keys() == {"a", "b"}
    assert list(held.visible) == ["a", "b"]


@pytest.mark.parametrize("word", ["all", "of a later version"])
def test_otherwise_every_tool_is_listed(word: str) -> None:
    held: Gateway = gateway([tool("a")], tool_loading=word)
    page = CompiledGateway(held).tool_lists[Era.LEGACY][None]
    assert b'"name":"a"' in page
    assert SEARCH.encode() not in page


@pytest.mark.parametrize(
    ("definitions", "destructive"),
    [([READS, READS], False), ([READS, {}], True), ([{"annotations": {"readOnlyHint": "yes"}}], True), ([], False)],
)
def test_running_is_destructive_unless_everything_that_can_be_run_only_reads(
    definitions: list[dict[str, object]], destructive: bool
) -> None:
    run = built_in_tools(definitions)[1]
    assert run["annotations"]["destructiveHint"] is destructive
    assert run["annotations"]["readOnlyHint"] is not destructive
