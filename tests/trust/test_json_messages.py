"""Rows J-1 to J-6 at the parser: what a wrong body is taken for, before anything else of ours sees it."""

import orjson
import pytest

from control.registry.own_names import own_names
from core.mcp.faults import INVALID_REQUEST, MessageFault
from core.mcp.message import CLIENT_NOTIFICATIONS, Batch, Notification, Request, Response, RoutingHeaders, parse
from core.mcp.tool_names import valid_upstream_name

HEADERS = RoutingHeaders("2025-11-25")
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'


def fault_of(body: bytes) -> MessageFault:
    with pytest.raises(MessageFault) as caught:
        parse(body, HEADERS)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call",'
            b'"params":{"name":"b","_meta":{"v":2}}}',
            id="J-1: duplicate method",
        ),
        pytest.param(CALL + b'{"name":"a","name":"b","_meta":{"v":2}}}', id="J-1: duplicate params.name"),
        pytest.param(CALL + b'{"name":"b","_meta":{"v":1},"_meta":{"v":2}}}', id="J-1: duplicate _meta"),
    ],
)
def test_of_duplicate_keys_one_is_judged_and_only_that_one_can_be_sent_on(body: bytes) -> None:
    request = parse(body, HEADERS)
    assert isinstance(request, Request)
    assert (request.method, request.params["name"], request.meta) == ("tools/call", "b", {"v": 2})
    # What goes upstream is written from the parsed params: a first-wins reader must find the same there.
    again = orjson.dumps(request.params)
    assert [again.count(key) for key in (b'"name"', b'"_meta"')] == [1, 1]
    assert orjson.loads(again) == {"name": "b", "_meta": {"v": 2}}


@pytest.mark.parametrize(
    ("arguments", "just_within"),
    [
        # The message and its params are two levels of the 64.
        pytest.param(b"[" * 63 + b"]" * 63, b"[" * 62 + b"]" * 62, id="J-2: depth 65"),
        pytest.param(
            orjson.dumps({f"k{n}": 0 for n in range(10_001)}),
            orjson.dumps({f"k{n}": 0 for n in range(10_000)}),
            id="J-2: 10,001 keys in one object",
        ),
        pytest.param(b'{"' + b"k" * 257 + b'":1}', b'{"' + b"k" * 256 + b'":1}', id="J-2: key over 256 B"),
    ],
)
def test_a_body_past_a_limit_is_refused_unread(
    arguments: bytes, just_within: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(parse(CALL + b'{"arguments":' + just_within + b"}}", HEADERS), Request)
    monkeypatch.setattr("core.mcp.json_limits.orjson.loads", lambda _: pytest.fail("it was read"))
    fault = fault_of(CALL + b'{"arguments":' + arguments + b"}}")
    assert (fault.code, fault.http_status, fault.id) == (INVALID_REQUEST, 400, None)


@pytest.mark.parametrize("size", [pytest.param(3 << 20, id="J-2: string over 1 MiB")])
def test_a_string_has_no_limit_but_the_bodys(size: int) -> None:
    request = parse(CALL + b'{"arguments":"' + b"x" * size + b'"}}', HEADERS)
    assert isinstance(request, Request)
    assert request.params["arguments"] == "x" * size


PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="J-3: empty batch"),
        pytest.param(b"[" + b",".join([PING] * 10_000) + b"]", id="J-3: 10,000 entries"),
    ],
)
def test_a_batch_that_no_session_may_send_is_refused(body: bytes) -> None:
    fault = fault_of(body)
    assert (fault.code, fault.http_status, fault.id) == (INVALID_REQUEST, 400, None)


@pytest.mark.parametrize("body", [pytest.param(b"[" + PING + b"]", id="J-3: batch")])
def test_a_batch_is_never_taken_for_a_message(body: bytes) -> None:
    assert parse(body, RoutingHeaders("2025-03-26")) == Batch([orjson.loads(PING)])
    with pytest.raises(MessageFault) as caught:
        parse(body, RoutingHeaders("2026-07-28"))
    assert (caught.value.code, caught.value.http_status) == (INVALID_REQUEST, 400)


@pytest.mark.parametrize(
    ("body", "echoed"),
    [
        pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None, id="J-4: id null"),
        pytest.param(b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}', None, id="J-4: id float"),
        pytest.param(b'{"jsonrpc":"2.0","id":{},"method":"ping"}', None, id="J-4: id object"),
        pytest.param(b'{"jsonrpc":"2.0","id":18446744073709551616,"method":"ping"}', None, id="J-4: id 2**64"),
        pytest.param(
            b'{"jsonrpc":"2.0","id":"' + b"x" * (1 << 20) + b'","method":"ping"}',
            None,
            id="J-4: id 1 MiB string",
        ),
        pytest.param(b'{"jsonrpc":"2.0","method":"ping"}', None, id="J-4: id missing"),
        pytest.param(b'{"jsonrpc":"1.0","id":"me","method":"ping"}', "me", id="J-4: jsonrpc wrong"),
        pytest.param(b'{"jsonrpc":"2.0","id":"me","method":7}', "me", id="J-4: method not a string"),
    ],
)
def test_a_wrong_request_is_refused_and_only_a_valid_id_comes_back(body: bytes, echoed: str | None) -> None:
    fault = fault_of(body)
    assert (fault.code, fault.id) == (INVALID_REQUEST, echoed)


@pytest.mark.parametrize("body", [pytest.param(b'{"jsonrpc":"2.0","id":1,"result":{}}', id="J-5: response")])
def test_a_response_is_told_apart_and_a_modern_client_may_not_send_one(body: bytes) -> None:
    assert parse(body, HEADERS) == Response(1, {}, None)
    with pytest.raises(MessageFault) as caught:
        parse(body, RoutingHeaders("2026-07-28"))
    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    ("method", "known"),
    [
        pytest.param("notifications/tools/list_changed", False, id="J-5: unknown notification"),
        pytest.param("notifications/cancelled", True, id="J-5: known notification"),
    ],
)
def test_a_notification_is_known_only_if_clients_may_send_it(method: str, known: bool) -> None:
    notification = parse(orjson.dumps({"jsonrpc": "2.0", "method": method}), HEADERS)
    assert isinstance(notification, Notification)
    assert (notification.method in CLIENT_NOTIFICATIONS) is known


@pytest.mark.parametrize(
    ("name", "lookalike", "taken"),
    [
        pytest.param("caf\u00e9", "cafe\u0301", False, id="J-6: NFC and NFD twins"),
        pytest.param("pay\u200f", "pay", False, id="J-6: RTL mark"),
        pytest.param("pay\u200b", "pay", False, id="J-6: zero-width"),
        pytest.param("p\u0430y", "pay", False, id="J-6: homoglyph"),
        pytest.param("x" * 129, "x" * 128, False, id="J-6: 129 characters"),
        pytest.param("../pay", "pay", False, id="J-6: ../"),
        pytest.param("__proto__", "proto", True, id="J-6: __proto__"),
        pytest.param("pay\r\n", "pay", False, id="J-6: CR/LF"),
        pytest.param("p ay", "pay", False, id="J-6: spaces"),
    ],
)
def test_a_tool_name_is_compared_byte_for_byte_and_a_strange_one_is_never_shown(
    name: str, lookalike: str, taken: bool
) -> None:
    # What is no plain name is served under one of ours, so that no client sees two names that look alike.
    assert valid_upstream_name(name) is taken
    shown = own_names([name, lookalike])
    assert (shown[name] == name) is taken
    assert shown[name] != shown[lookalike]
    assert all(valid_upstream_name(one) for one in shown.values())
    request = parse(CALL + orjson.dumps({"name": name}) + b"}", HEADERS)
    assert isinstance(request, Request)
    assert request.params["name"] == name != lookalike
    # `__proto__` is a name like any other: it finds what is stored under it and nothing else.
    assert {lookalike: "theirs"}.get(name) is None
