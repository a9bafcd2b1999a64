import copy

import orjson
import pytest

from core.mcp.large_answer_json import MAX_PARTS
from core.mcp.shapes import (
    result_for_legacy,
    result_for_modern,
    result_type,
    tool_for_legacy,
    tool_for_modern,
)
from core.mcp.versions import LEGACY_VERSIONS

US: dict[str, object] = {"name": "archway", "version": "1"}
SERVER_INFO = "io.modelcontextprotocol/serverInfo"
TEXT = {"type": "text", "text": "hi"}
LINK = {"type": "resource_link", "uri": "file:///a", "name": "a", "title": "Plan A", "description": "the plan"}


def test_a_legacy_caller_sees_no_modern_members() -> None:
    modern: dict[str, object] = {
        "resultType": "complete",
        "ttlMs": 5,
        "cacheScope": "public",
        "content": [TEXT],
        "isError": False,
    }
    assert result_for_legacy(modern, "2025-11-25") == {"content": [TEXT], "isError": False}


def as_written(result: dict[str, object]) -> object:
    return orjson.loads(orjson.dumps(result))


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_a_large_result_is_told_to_legacy_callers_as_any_other(version: str) -> None:
    whole: dict[str, object] = {"content": [TEXT, LINK], "structuredContent": {"a": 1}, "isError": False}
    large = {
        **whole,
        **{name: orjson.Fragment(orjson.dumps(whole[name])) for name in ("content", "structuredContent")},
    }
    assert as_written(result_for_legacy(large, version)) == result_for_legacy(whole, version)


@pytest.mark.parametrize("content", [[TEXT], [LINK], [{"type": "image", "data": "", "mimeType": "x/y"}]])
@pytest.mark.parametrize("structured", [[1], 7, {"a": 1}])
def test_large_structured_content_is_told_as_any_other(content: list[object], structured: object) -> None:
    whole: dict[str, object] = {"content": content, "structuredContent": structured}
    large = {name: orjson.Fragment(orjson.dumps(value)) for name, value in whole.items()}
    assert as_written(result_for_legacy(large, "2025-11-25")) == result_for_legacy(whole, "2025-11-25")


@pytest.mark.parametrize("structured", [[1, 2], "x", 7, None, True])
def test_structured_content_that_is_no_object_becomes_text_where_there_is_none(structured: object) -> None:
    image = {"type": "image", "data": "", "mimeType": "image/png"}
    shaped = result_for_legacy({"content": [image], "structuredContent": structured}, "2025-11-25")
    assert "structuredContent" not in shaped
    written = {list: "[1,2]", str: '"x"', int: "7", type(None): "null", bool: "true"}[type(structured)]
    assert shaped["content"] == [image, {"type": "text", "text": written}]


def test_structured_content_that_is_no_object_leaves_text_that_is_there() -> None:
    assert result_for_legacy({"content": [TEXT], "structuredContent": [1]}, "2025-11-25") == {"content": [TEXT]}


def test_structured_content_that_is_an_object_stays() -> None:
    result: dict[str, object] = {"content": [TEXT], "structuredContent": {"a": 1}}
    assert result_for_legacy(result, "2025-06-18") == result


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "unknown"])
def test_before_2025_06_18_a_resource_link_is_text(version: str) -> None:
    shaped = result_for_legacy({"content": [TEXT, LINK]}, version)
    assert shaped["content"] == [TEXT, {"type": "text", "text": "Plan A: file:///a\nthe plan"}]


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25"])
def test_later_a_resource_link_stays(version: str) -> None:
    assert result_for_legacy({"content": [LINK]}, version) == {"content": [LINK]}


@pytest.mark.parametrize("kind", ["input_required", "task", "later", 7])
def test_a_result_that_is_not_complete_has_no_legacy_form(kind: object) -> None:
    with pytest.raises(ValueError):
        result_for_legacy({"resultType": kind}, "2025-11-25")


def test_a_modern_caller_gets_type_and_our_name() -> None:
    assert result_for_modern({"content": [TEXT]}, US) == {
        "content": [TEXT],
        "resultType": "complete",
        "_meta": {SERVER_INFO: US},
    }


def test_an_upstreams_name_gives_way_to_ours_and_its_other_meta_stays() -> None:
    shaped = result_for_modern({"_meta": {SERVER_INFO: {"name": "x"}, "vendor/k": 1}}, US)
    assert shaped["_meta"] == {SERVER_INFO: US, "vendor/k": 1}


def test_a_question_stays_a_question() -> None:
    shaped = result_for_modern({"resultType": "input_required", "inputRequests": {}}, US, cacheable=True)
    assert shaped["resultType"] == "input_required"
    assert "ttlMs" not in shaped


def test_an_unknown_result_type_is_invalid() -> None:
    with pytest.raises(ValueError, match="resultType"):
        result_for_modern({"resultType": "later"}, US)
    assert result_type({}) == "complete"


def test_only_what_may_be_cached_gets_hints_and_careful_ones() -> None:
    assert "ttlMs" not in result_for_modern({}, US)
    shaped = result_for_modern({}, US, cacheable=True)
    assert (shaped["ttlMs"], shaped["cacheScope"]) == (0, "private")
    kept = result_for_modern({"ttlMs": 9, "cacheScope": "public"}, US, cacheable=True)
    assert (kept["ttlMs"], kept["cacheScope"]) == (9, "public")


@pytest.mark.parametrize("ours", ["archway/refusal", "archway/account"])
def test_no_upstream_speaks_in_our_name(ours: str) -> None:
    forged: dict[str, object] = {"content": [], "_meta": {ours: {"code": "x"}, "a/b": 1}}
    assert result_for_legacy(forged, "2025-11-25")["_meta"] == {"a/b": 1}
    assert result_for_modern(forged, US)["_meta"] == {"a/b": 1, SERVER_INFO: US}
    only: dict[str, object] = {"_meta": {ours: {}}}
    assert result_for_legacy(only, "2025-11-25") == {}


@pytest.mark.parametrize("meta", [None, {}, {"a/b": 1}, {"archway/account": "mine", "a/b": 1}, ["no object"]])
def test_results_of_both_eras_say_who_acted(meta: object) -> None:
    given: dict[str, object] = {"content": []} | ({} if meta is None else {"_meta": meta})
    theirs = {"a/b": 1} if isinstance(meta, dict) and meta else {}
    who = {"archway/account": {"account": "octocat"}}
    assert result_for_legacy(given, "2025-11-25", who["archway/account"])["_meta"] == theirs | who
    assert result_for_modern(given, US, who["archway/account"])["_meta"] == theirs | who | {SERVER_INFO: US}


def test_meta_that_is_no_object_is_dropped() -> None:
    assert result_for_legacy({"_meta": ["archway/refusal"]}, "2025-11-25") == {}


@pytest.mark.parametrize("root", [{"type": "array"}, {"anyOf": []}, {"type": ["object"]}, True, None])
def test_an_output_schema_whose_root_is_no_object_is_kept_from_legacy_callers(root: object) -> None:
    assert tool_for_legacy({"name": "t", "outputSchema": root}) == {"name": "t"}


def test_other_tools_stay_as_they_are_for_legacy_callers() -> None:
    tool: dict[str, object] = {"name": "t", "outputSchema": {"type": "object"}, "execution": {}}
    assert tool_for_legacy(tool) == tool
    assert tool_for_legacy({"name": "t"}) == {"name": "t"}


def test_hints_on_legacy_tasks_are_kept_from_modern_callers() -> None:
    tool: dict[str, object] = {"name": "t", "outputSchema": {"type": "array"}, "execution": {}}
    assert tool_for_modern(tool) == {"name": "t", "outputSchema": {"type": "array"}}


def test_nothing_is_changed_in_place() -> None:
    result: dict[str, object] = {
        "resultType": "complete",
        "content": [LINK],
        "structuredContent": [1],
        "_meta": {SERVER_INFO: {}, "archway/refusal": {}},
    }
    tool: dict[str, object] = {"outputSchema": {"type": "array"}, "execution": {}}
    before = copy.deepcopy((result, tool))
    result_for_legacy(result, "2024-11-05")
    result_for_modern(result, US, cacheable=True)
    tool_for_legacy(tool)
    tool_for_modern(tool)
    assert (result, tool) == before


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"[" + b" " * 70_000 + b"]",
        b'[{"type":"image"}' + b',{"type":"image"}' * MAX_PARTS + b"]",
        b"[" + b'{"type":"text","text":""},' * MAX_PARTS + b"{}]",
        b'[{"data":"x"}]',
    ],
    ids=["empty", "blank", "wide", "wide with text", "without types"],
)
@pytest.mark.parametrize("structured", [[1, 2], "x", None, orjson.Fragment(b"[1]")])
def test_structured_content_is_told_beside_content_that_is_not_taken_apart(
    content: bytes, structured: object
) -> None:
    result: dict[str, object] = {"content": orjson.Fragment(content), "structuredContent": structured}
    shaped = orjson.loads(orjson.dumps(result_for_legacy(result, "2025-06-18")))
    assert shaped["content"][:-1] == orjson.loads(content)
    assert shaped["content"][-1] == {"type": "text", "text": orjson.dumps(structured).decode()}
    assert "structuredContent" not in shaped
