from __future__ import annotations

from control.registry.offers import offer_definition
from control.registry.tool_definitions import found_tools

TOOL = {"name": "t", "description": "d", "inputSchema": {"type": "object"}}


def test_what_a_server_offers_stands_behind_its_tools_and_is_no_tool() -> None:
    found = found_tools([TOOL], [], offers=["resources", "prompts"])
    assert [(one.kind, one.name) for one in found.tools] == [
        ("tool", "t"),
        ("resources", "all_resources"),
        ("prompts", "all_prompts"),
    ]
    assert found.callable == 1


def test_a_tool_of_that_name_keeps_it() -> None:
    found = found_tools([TOOL | {"name": "all_prompts"}], [], offers=["prompts"])
    assert [one.name for one in found.tools] == ["all_prompts", "all_prompts_2"]
    assert offer_definition("prompts", {"all_prompts", "all_prompts_2"})["name"] == "all_prompts_3"


def test_the_same_offer_has_the_same_pin() -> None:
    one, other = (found_tools([TOOL], [], offers=["prompts"]).tools[1] for _ in range(2))
    assert one == other


def test_a_server_without_tools_offers_too() -> None:
    found = found_tools([], [{"uri": "a://1", "name": "n"}], offers=["resources"])
    assert [one.kind for one in found.tools] == ["resource", "resources"]
