import json
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.faults import INVALID_PARAMS, INVALID_REQUEST, MessageFault
from core.mcp.message import (
    Batch,
    Notification,
    Request,
    Response,
    RoutingHeaders,
    judge,
    parse,
    parse_item,
    valid_id,
)
from core.mcp.versions import Era

LEGACY = RoutingHeaders("2025-11-25")
NONE = RoutingHeaders()
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def sent(message: object, headers: RoutingHeaders = NONE) -> object:
    return parse(orjson.dumps(message), headers)


def fault_of(message: object, headers: RoutingHeaders = NONE) -> MessageFault:
    with pytest.raises(MessageFault) as caught:
        sent(message, headers)
    return caught.value


def test_a_legacy_request_is_read_whole() -> None:
    params = {"name": "t", "_meta": {"progressToken": 5}}
    message = {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params}
    assert sent(message, LEGACY) == Request("a", "tools/call", params, Era.LEGACY, {"progressToken": 5})


@pytest.mark.parametrize("message", [PING, {**PING, "params": None}, {**PING, "params": {}}])
def test_absent_params_and_meta_read_as_empty(message: object) -> None:
    assert sent(message) == Request(1, "ping", {}, Era.LEGACY, {})


@pytest.mark.parametrize("request_id", [0, -1, 2**64 - 1, -(2**63), "", "x" * 256, "\u00e9" * 128])
def test_an_id_comes_back_as_it_was_sent(request_id: object) -> None:
    request = sent({**PING, "id": request_id})
    assert isinstance(request, Request)
    assert (request.id, type(request.id)) == (request_id, type(request_id))


@pytest.mark.parametrize("value", [None, True, 1.0, 2.5, [1], {}, "x" * 257, "\u00e9" * 129])
def test_nothing_else_is_an_id(value: object) -> None:
    assert valid_id(value) is None
    fault = fault_of({**PING, "id": value})
    assert (fault.code, fault.id, fault.http_status) == (INVALID_REQUEST, None, 400)


@pytest.mark.parametrize("text", ["9223372036854775808000", "-9223372036854775809", "18446744073709551616"])
def test_an_integer_beyond_64_bit_is_no_id(text: str) -> None:
    with pytest.raises(MessageFault) as caught:
        parse(b'{"jsonrpc":"2.0","method":"ping","id":' + text.encode() + b"}", NONE)
    assert (caught.value.code, caught.value.id) == (INVALID_REQUEST, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jsonrpc": "1.0"},
        {"jsonrpc": 2.0},
        {"jsonrpc": None},
        {"method": 7},
        {"method": ""},
        {"method": None},
        {"params": []},
        {"params": "x"},
        {"result": {}},
        {"error": None},
    ],
)
def test_a_legacy_request_of_a_wrong_shape_is_answered_under_its_id_at_200(wrong: dict[str, object]) -> None:
    fault = fault_of({**PING, **wrong}, LEGACY)
    assert (fault.code, fault.id, fault.http_status) == (INVALID_REQUEST, 1, 200)


def test_a_modern_request_of_a_wrong_shape_is_answered_under_its_id_at_400() -> None:
    fault = fault_of({**PING, "jsonrpc": "1.0"}, RoutingHeaders("2026-07-28"))
    assert (fault.code, fault.id, fault.http_status) == (INVALID_REQUEST, 1, 400)


def test_a_legacy_meta_that_is_no_object_is_refused() -> None:
    fault = fault_of({**PING, "params": {"_meta": "x"}}, LEGACY)
    assert (fault.code, fault.id, fault.http_status) == (INVALID_PARAMS, 1, 200)


@pytest.mark.parametrize("body", [b"7", b'"ping"', b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MessageFault) as caught:
        parse(body, NONE)
    assert (caught.value.code, caught.value.http_status) == (INVALID_REQUEST, 400)


def test_a_message_without_an_id_is_a_notification_only_by_its_method() -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert sent(message) == Notification("notifications/cancelled", {"requestId": 1}, Era.LEGACY)
    assert fault_of({"jsonrpc": "2.0", "method": "tools/call"}).code == INVALID_REQUEST


def test_a_notification_method_with_an_id_asks_for_an_answer() -> None:
    assert isinstance(sent({**PING, "method": "notifications/initialized"}), Request)


@pytest.mark.parametrize("wrong_id", [None, 1.5, {}])
def test_a_notification_method_with_a_wrong_id_is_refused(wrong_id: object) -> None:
    fault = fault_of({"jsonrpc": "2.0", "id": wrong_id, "method": "notifications/cancelled"})
    assert (fault.code, fault.id) == (INVALID_REQUEST, None)


def test_posted_answers_are_responses() -> None:
    assert sent({"jsonrpc": "2.0", "id": 3, "result": {"a": 1}}, LEGACY) == Response(3, {"a": 1}, None)
    error = {"code": -1, "message": "no"}
    assert sent({"jsonrpc": "2.0", "id": "3", "error": error}, LEGACY) == Response("3", None, error)


@pytest.mark.parametrize(
    "parts",
    [
        {"result": {}, "error": {"code": 1, "message": ""}},
        {"result": None},
        {"result": "x"},
        {"error": {}},
        {"error": {"code": True, "message": ""}},
        {"error": {"code": 1}},
        {"result": {}, "id": None},
    ],
)
def test_a_response_of_a_wrong_shape_is_refused_without_an_id(parts: dict[str, object]) -> None:
    fault = fault_of({"jsonrpc": "2.0", "id": 3, **parts}, LEGACY)
    assert (fault.code, fault.id, fault.http_status) == (INVALID_REQUEST, None, 400)


def test_a_modern_client_sends_no_responses() -> None:
    fault = fault_of({"jsonrpc": "2.0", "id": 3, "result": {}}, RoutingHeaders("2026-07-28"))
    assert (fault.code, fault.http_status) == (INVALID_REQUEST, 400)


def test_a_batch_is_handed_on_unread() -> None:
    assert sent([PING, 7], RoutingHeaders("2025-03-26")) == Batch([PING, 7])


@pytest.mark.parametrize(
    ("items", "headers"),
    [([], NONE), ([PING] * 101, NONE), ([PING], RoutingHeaders("2026-07-28"))],
    ids=["empty", "too long", "modern"],
)
def test_a_batch_that_nobody_may_send_is_refused(items: list[object], headers: RoutingHeaders) -> None:
    fault = fault_of(items, headers)
    assert (fault.code, fault.id, fault.http_status) == (INVALID_REQUEST, None, 400)


def test_an_item_of_a_batch_is_read_as_a_legacy_message() -> None:
    assert parse_item(PING) == Request(1, "ping", {}, Era.LEGACY, {})


@pytest.mark.parametrize(
    "item",
    [7, [PING], {**PING, "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}}],
    ids=["number", "nested batch", "modern"],
)
def test_no_other_item_of_a_batch_is_read(item: object) -> None:
    with pytest.raises(MessageFault) as caught:
        parse_item(item)
    assert caught.value.code == INVALID_REQUEST


HEADER = st.none() | st.sampled_from(["2025-11-25", "2026-07-28", "tools/call", "=?base64?!!?="]) | st.text()
LEAF = st.none() | st.booleans() | st.floats() | st.integers(-(2**70), 2**70) | st.text(max_size=5)
VALUE = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.text(max_size=3), LEAF, max_size=2)
META = st.fixed_dictionaries(
    {},
    optional={
        "io.modelcontextprotocol/protocolVersion": VALUE | st.just("2026-07-28"),
        "io.modelcontextprotocol/clientCapabilities": VALUE,
        "io.modelcontextprotocol/logLevel": VALUE,
    },
)
PARAMS = st.fixed_dictionaries({}, optional={"_meta": META | VALUE, "name": VALUE})
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | VALUE,
        "id": VALUE,
        "method": st.sampled_from(["tools/call", "notifications/cancelled", "server/discover"]) | VALUE,
        "params": PARAMS | VALUE,
        "result": VALUE,
        "error": VALUE,
    },
)


def read_or_fault(raw: bytes, headers: RoutingHeaders) -> object:
    try:
        return parse(raw, headers)
    except MessageFault as fault:
        return fault


@given(st.binary(), HEADER)
def test_arbitrary_bytes_are_read_or_a_message_fault(raw: bytes, version: str | None) -> None:
    assert read_or_fault(raw, RoutingHeaders(version)) is not None


@given(MESSAGE, st.builds(RoutingHeaders, HEADER, HEADER, HEADER))
def test_almost_messages_are_read_or_a_fault_that_echoes_only_a_valid_id(
    message: dict[str, object], headers: RoutingHeaders
) -> None:
    try:
        raw = orjson.dumps(message)
    except (TypeError, orjson.JSONEncodeError):  # integers beyond 64 bit, surrogates
        raw = json.dumps(message).encode()
    outcome = read_or_fault(raw, headers)
    if isinstance(outcome, MessageFault):
        assert outcome.id is None or outcome.id == valid_id(message.get("id"))
        assert outcome.http_status in {200, 400}
        orjson.dumps(outcome.body())


IDS = st.sampled_from([0, 1, True, 1.5, None, "", "a", "x" * 64, "x" * 65, "\u00e9" * 64, [1]])
METHODS = st.sampled_from(["tools/call", "tools/list", "ping", "notifications/initialized", "no/such", "", 1, None])
VERSIONS = st.sampled_from(["2026-07-28", "2025-11-25", " 2025-11-25", "2099-01-01", "", None])
METAS = st.sampled_from(
    [
        None,
        {},
        "x",
        {"progressToken": 1},
        {"io.modelcontextprotocol/protocolVersion": "2026-07-28"},
        {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    ]
)
PARAMS = (
    st.none() | st.just([]) | st.fixed_dictionaries({}, optional={"name": st.sampled_from(["t", 1]), "_meta": METAS})
)


def outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except MessageFault as fault:
        return (fault.code, fault.message, fault.http_status, fault.id, fault.data)


@given(
    st.fixed_dictionaries(
        {"jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1.0", None])},
        optional={
            "id": IDS,
            "method": METHODS,
            "params": PARAMS,
            "result": st.just({}),
            "error": st.just({"code": 1, "message": "x"}),
            "more": st.just(1),
        },
    ),
    st.builds(RoutingHeaders, VERSIONS, METHODS.filter(lambda one: one != 1), st.sampled_from(["t", None, "u"])),
)
def test_a_message_that_one_look_clears_is_read_as_member_by_member(
    message: dict[str, object], headers: RoutingHeaders
) -> None:
    in_one_look = outcome(lambda: parse(orjson.dumps(message), headers))
    assert in_one_look == outcome(lambda: judge(message, headers))
    if isinstance(in_one_look, Request):
        assert type(in_one_look.id) is type(message["id"])


def test_the_usual_call_of_either_era_is_cleared_by_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("core.mcp.message.judge")
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}
    assert isinstance(sent(call, LEGACY), Request)
    call["params"] = {"name": "t", "arguments": {}, "_meta": meta}
    assert isinstance(sent(call, RoutingHeaders("2026-07-28", "tools/call", "t")), Request)
