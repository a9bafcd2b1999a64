import pytest

from bridge.other_era import answer_for, envelope, initialize_result, params_for
from core.mcp.message import Request
from core.mcp.versions import Era

LEGACY, MODERN = Era.LEGACY, Era.MODERN


def request(era, meta=None, method="tools/call"):
    params = {"name": "x", **({"_meta": meta} if meta is not None else {})}
    return Request("a", method, params, era, meta or {})


@pytest.mark.parametrize("era", list(Era))
def test_parameters_for_a_server_of_the_callers_era_are_a_copy(era):
    asked = request(era, {"progressToken": 1, "vendor": 2})

    params = params_for(asked, era)

    assert params == asked.params
    assert params is not asked.params
    assert params["_meta"] is not asked.meta


def test_a_modern_server_gets_the_envelope():
    params = params_for(request(LEGACY, {"vendor": 1}), MODERN)

    assert params["_meta"] == {"vendor": 1, **envelope()}


@pytest.mark.parametrize(("meta", "left"), [({}, None), ({"vendor": 1}, {"vendor": 1})])
def test_a_legacy_server_gets_no_envelope(meta, left):
    level = {"io.modelcontextprotocol/logLevel": "info"}

    assert params_for(request(MODERN, {**envelope(), **level, **meta}), LEGACY).get("_meta") == left


def test_a_result_for_a_caller_of_the_same_era_is_not_touched():
    answer = {"jsonrpc": "2.0", "id": "a", "result": {"resultType": "input_required", "structuredContent": [1]}}

    assert answer_for(request(MODERN), answer, MODERN) is answer


def test_a_legacy_caller_gets_only_what_a_legacy_result_has():
    result = {"resultType": "complete", "ttlMs": 1, "cacheScope": "private", "content": [], "structuredContent": [1]}

    assert answer_for(request(LEGACY), {"id": "a", "result": result}, MODERN)["result"] == {"content": []}
    kept = {"content": [], "structuredContent": {"x": 1}}
    assert answer_for(request(LEGACY), {"id": "a", "result": kept}, MODERN)["result"] == kept


def test_a_legacy_caller_cannot_be_asked_by_a_result():
    answer = answer_for(request(LEGACY), {"id": "a", "result": {"resultType": "input_required"}}, MODERN)

    assert [answer["id"], answer["error"]["code"]] == ["a", -32603]


@pytest.mark.parametrize(
    ("method", "hints"),
    [("tools/call", {}), ("tools/list", {"ttlMs": 0, "cacheScope": "private"})],
)
def test_a_modern_caller_gets_a_complete_result(method, hints):
    answer = answer_for(request(MODERN, envelope(), method), {"id": "a", "result": {"content": []}}, LEGACY)

    assert answer["result"] == {"resultType": "complete", "content": [], **hints}


def test_an_error_is_the_same_in_both_eras():
    answer = {"id": "a", "error": {"code": -1, "message": "no"}}

    assert answer_for(request(MODERN), answer, LEGACY) is answer


def test_initialize_promises_no_stream_for_a_modern_server():
    discovered = {
        "capabilities": {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "extensions": {"x": {}}},
        "instructions": "Be kind.",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "clock"}},
    }

    assert initialize_result("2025-06-18", discovered) == {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}, "resources": {}},
        "serverInfo": {"name": "clock"},
        "instructions": "Be kind.",
    }
