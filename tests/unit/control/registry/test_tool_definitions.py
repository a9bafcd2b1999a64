from hashlib import sha256
from typing import Any

import orjson
import pytest

from control.registry.tool_definitions import (
    MAX_DEFINITION,
    MAX_DEFINITIONS,
    MAX_TOOLS,
    PIN,
    clean_definition,
    definition_sha256,
    found_tools,
)
from core.mcp.tool_names import valid_upstream_name

SCHEMA: dict[str, Any] = {"type": "object"}


def tool(name: Any = "echo", **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": SCHEMA, **more}


def test_a_plain_tool_is_kept_under_its_own_name() -> None:
    (kept,) = found_tools([tool(description="Says it again.")], []).tools
    assert (kept.kind, kept.upstream_name, kept.name) == ("tool", "echo", "echo")
    assert kept.definition == {"name": "echo", "description": "Says it again.", "inputSchema": SCHEMA}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (tool("x" * 1_025), "at most 1024"),
        (tool(7), "should be a string"),
        (tool(""), "empty"),
        (tool("a\x00b"), "U+0000"),
        ({"name": "no_schema"}, "inputSchema"),
        (tool(inputSchema={"type": "array"}), "inputSchema"),
        (
            tool(inputSchema={"type": "object", "properties": {"n": {"type": "number", "x-mcp-header": "N"}}}),
            "string, integer or boolean",
        ),
        (tool(inputSchema={"type": "object", "description": "x" * MAX_DEFINITION}), "1048576 are allowed"),
        (tool(inputSchema={"type": "object", "properties": []}), "inputSchema.properties should be an object"),
        (tool(outputSchema={"type": "object", "required": None}), "outputSchema.required should be a list"),
        (tool(inputSchema={"type": "object", "description": "a\x00b"}), "U+0000"),
    ],
)
def test_a_tool_that_cannot_be_taken_is_left_out_with_the_reason(given: dict[str, Any], words: str) -> None:
    found = found_tools([given, tool("fine")], [])
    assert [kept.name for kept in found.tools] == ["fine"]
    assert words in found.rejected[0][1]


def test_an_escaped_backslash_before_u0000_is_text_and_stays() -> None:
    assert len(found_tools([tool(inputSchema={"type": "object", "pattern": "\\u0000"})], []).tools) == 1


def test_a_name_listed_twice_is_kept_once() -> None:
    found = found_tools([tool(title="first"), tool(title="second")], [])
    assert [kept.definition["title"] for kept in found.tools] == ["first"]
    assert "more than once" in found.rejected[0][1]


def test_what_the_proxy_left_out_stays_in_the_report() -> None:
    assert found_tools([tool()], [], [("bad", "why")]).rejected == (("bad", "why"),)


def test_keys_that_nobody_judged_are_dropped() -> None:
    cleaned, _ = clean_definition(
        tool(
            _meta={"archway/refusal": 1},
            execution={},
            inputExamples=[{}],
            annotations={"readOnlyHint": True, "x": 1, "openWorldHint": "y"},
        )
    )
    assert set(cleaned) == {"name", "inputSchema", "annotations"}
    assert cleaned["annotations"] == {"readOnlyHint": True}


def test_a_long_description_is_cut_and_invisible_marks_are_taken_out() -> None:
    cleaned, _ = clean_definition(tool(description="\u202eab\u200b" + "x" * 9_000))
    assert cleaned["description"].startswith("abx")
    assert len(cleaned["description"]) == 8_192
    assert cleaned["description"].endswith(" [...]")


@pytest.mark.parametrize(
    "changed",
    [
        tool("other"), tool(description="d"), tool(title="t"),
        tool(inputSchema={"type": "object", "required": ["a"]}),
        tool(outputSchema=SCHEMA), tool(annotations={"readOnlyHint": True}), tool(_meta={"ui": {"resourceUri": "ui://a"}}),
        tool(icons=[{"src": "https://a.example/i.png"}]), tool(execution={"taskSupport": "required"}),
    ],
)  # fmt: skip
def test_the_hash_changes_with_each_part_that_a_model_or_a_check_reads(changed: dict[str, Any]) -> None:
    assert definition_sha256(clean_definition(changed)[0]) != definition_sha256(clean_definition(tool())[0])


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    forth = {"name": "a", "inputSchema": {"type": "object", "title": "t"}}
    back = {"inputSchema": {"title": "t", "type": "object"}, "name": "a"}
    assert definition_sha256(forth) == definition_sha256(back)


def test_a_server_with_resources_only_offers_tools_that_read_them() -> None:
    (kept,) = found_tools([], [{"uri": "x://1", "name": "notes"}]).tools
    assert (kept.kind, kept.upstream_name, kept.name) == ("resource", "x://1", "read_notes")


def test_a_server_with_tools_gets_none_for_its_resources() -> None:
    assert [kept.kind for kept in found_tools([tool()], [{"uri": "x://1", "name": "n"}]).tools] == ["tool"]


def test_a_server_whose_every_tool_was_left_out_is_not_taken_for_one_with_resources_only() -> None:
    assert found_tools([], [{"uri": "x://1", "name": "n"}], [("bad", "why")]).tools == ()


def test_a_list_without_end_is_cut() -> None:
    found = found_tools([tool(f"t{n}") for n in range(MAX_TOOLS + 2)], [])
    assert len(found.tools) == MAX_TOOLS
    assert len(found.rejected) == 2


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"description": "x" * 9_000}, "Its description has 9000 characters and was cut to 8192."),
        ({"title": "x" * 300}, "Its title has 300 characters and was cut to 256."),
        ({"annotations": {"title": "x" * 300}}, "Its annotations.title has 300 characters and was cut to 256."),
        ({"description": "a\u200bb\u202ec"}, "Its description lost 2 characters that are invisible"),
        ({"title": "a\ufeff"}, "Its title lost 1 character that is invisible"),
    ],
)
def test_what_was_cut_or_taken_out_of_a_kept_tool_is_told(more: dict[str, Any], note: str) -> None:
    found = found_tools([tool("plain", description="fine"), tool(**more)], [])
    assert len(found.tools) == 2
    ((name, sentence),) = found.notes
    assert name == "echo"
    assert sentence.startswith(note)


def test_a_resource_whose_text_was_cut_is_told_too() -> None:
    found = found_tools([], [{"uri": "x://1", "name": "notes", "description": "x" * 9_000}])
    assert [name for name, _ in found.notes] == ["read_notes"]


def test_what_the_proxy_has_to_say_of_the_whole_list_stays() -> None:
    said = ("", "The list was cut.")
    assert found_tools([tool()], [], notes=[said]).notes == (said,)
    assert found_tools([], [{"uri": "x://1", "name": "n"}], notes=[said]).notes == (said,)


def test_icons_execution_and_meta_go_on_to_clients() -> None:
    extras = {
        "icons": [{"src": "https://a.example/i.png", "mimeType": "image/png", "sizes": ["48x48"]}],
        "execution": {"taskSupport": "optional"},
        "_meta": {"ui": {"resourceUri": "ui://a"}, "vendor.example/x": [1]},
    }
    (kept,) = found_tools([tool(**extras)], []).tools
    assert {name: kept.definition[name] for name in extras} == extras


@pytest.mark.parametrize("name", ["context7:query-docs", "two words", "\u67e5\u8be2", "x" * 200, "a/b", "a\n"])
def test_a_name_of_another_alphabet_is_kept_byte_for_byte_beside_one_of_ours(name: str) -> None:
    (kept,) = found_tools([tool(name)], []).tools
    assert (kept.upstream_name, kept.definition["name"]) == (name, name)
    assert valid_upstream_name(kept.name)


@pytest.mark.parametrize(
    "output",
    [
        {"type": "object", "properties": {"x": {"$ref": "#/$defs/gone"}}},
        {"type": "object", "properties": {"n": {"type": "int"}}},
        {"type": "object", "properties": {"n": {"type": "number", "exclusiveMinimum": True}}},
        {"type": "object", "properties": {"s": {"type": "string", "pattern": "(?i)a"}}},
        {"type": "object", "$id": "#x"},
    ],
)
def test_an_output_schema_that_clients_cannot_compile_is_left_out_and_told_and_the_tool_stays(
    output: dict[str, Any],
) -> None:
    found = found_tools([tool(outputSchema=output), tool("fine", outputSchema=SCHEMA)], [])
    assert [kept.definition.get("outputSchema") for kept in found.tools] == [None, SCHEMA]
    ((name, sentence),) = found.notes
    assert (name, sentence[:56]) == ("echo", "Its outputSchema was left out, since clients cannot comp")


def test_an_output_schema_loses_its_own_name_by_which_clients_would_mix_up_two_tools() -> None:
    output = {"$id": "https://a.example/out.json", "type": "object", "properties": {"a": {"$ref": "#"}}}
    (kept,) = found_tools([tool(outputSchema=output)], []).tools
    assert kept.definition["outputSchema"] == {"type": "object", "properties": {"a": {"$ref": "#"}}}


@pytest.mark.parametrize(
    "plain",
    [
        tool(), tool(title="t", description="d", annotations={"readOnlyHint": True}),
        tool(outputSchema={"type": "object"}), tool(outputSchema={"type": "int"}),
    ],
)  # fmt: skip
def test_the_pin_of_a_tool_without_extras_is_the_one_that_it_always_had(plain: dict[str, Any]) -> None:
    (kept,) = found_tools([plain], []).tools
    # As it was made before extras were kept: of the definition with its output schema as listed, its keys in order.
    always = sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert kept.sha256 == kept.first_sha256 == always
    assert kept.is_as(kept.sha256, 1)
    assert kept.is_as(kept.sha256, PIN)


def test_a_tool_whose_meta_was_not_pinned_before_is_not_taken_for_a_changed_one() -> None:
    (kept,) = found_tools([tool(_meta={"tags": ["a"]})], []).tools
    (other,) = found_tools([tool(_meta={"tags": ["b"]})], []).tools
    assert other.is_as(kept.first_sha256, 1)
    assert not other.is_as(kept.sha256, PIN)


def test_definitions_beyond_the_most_of_an_entry_are_left_out_and_the_bytes_are_told() -> None:
    long = {"type": "object", "description": "x" * (MAX_DEFINITION - 200)}
    found = found_tools([*(tool(f"t{n}", inputSchema=long) for n in range(9)), tool("small")], [])
    assert [kept.name for kept in found.tools] == [*(f"t{n}" for n in range(8)), "small"]
    ((name, reason),) = found.rejected
    assert name == "t8"
    assert f"all have at most {MAX_DEFINITIONS}" in reason
