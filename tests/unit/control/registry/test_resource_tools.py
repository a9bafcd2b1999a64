from hypothesis import given
from hypothesis import strategies as st

from control.registry.resource_tools import read_tools
from core.mcp.tool_names import valid_upstream_name


def test_a_resource_becomes_a_tool_without_arguments() -> None:
    ((uri, name, definition),), rejected = read_tools(
        [{"uri": "file:///a.txt", "name": "notes", "description": "All."}]
    )
    assert (uri, name, rejected) == ("file:///a.txt", "read_notes", [])
    assert definition["inputSchema"] == {"type": "object", "properties": {}, "additionalProperties": False}
    assert definition["description"] == "Reads the resource file:///a.txt. All."


def test_two_resources_of_one_name_get_names_that_do_not_depend_on_their_order() -> None:
    one, two = {"uri": "x://1", "name": "n"}, {"uri": "x://2", "name": "n"}
    forth = {uri: name for uri, name, _ in read_tools([one, two])[0]}
    back = {uri: name for uri, name, _ in read_tools([two, one])[0]}
    assert forth == back
    assert len(set(forth.values())) == 2


def test_a_uri_that_is_missing_unsafe_or_repeated_is_left_out_with_the_reason() -> None:
    resources: list[dict[str, object]] = [
        {"name": "a"},
        {"uri": "not a uri", "name": "b"},
        {"uri": "x://ü", "name": "c"},
        {"uri": "x://1", "name": "d"},
        {"uri": "x://1", "name": "e"},
    ]
    found, rejected = read_tools(resources)
    assert [name for _, name, _ in found] == ["read_d"]
    assert len(rejected) == 4


@given(st.lists(st.fixed_dictionaries({"uri": st.from_regex(r"x://[a-z]{1,8}", fullmatch=True), "name": st.text()})))
def test_names_are_valid_and_unique(resources: list[dict[str, object]]) -> None:
    names = [name for _, name, _ in read_tools(resources)[0]]
    assert all(valid_upstream_name(name) and len(name) <= 64 for name in names)
    assert len(set(names)) == len(names)
