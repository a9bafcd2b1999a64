"""The usual call and the usual answer, and that whatever differs from them is not certain."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.event_stream import EventReader
from core.mcp.message import Request, RoutingHeaders, parse
from core.mcp.versions import MODERN
from proxy.plans.plan import Plan
from proxy.plans.usual import only_message, plan_for, usual_result
from tests.proxy.conftest import modern_request


def plans(*, modern: bool = True) -> dict[str, Plan]:
    plan = Plan()
    plan.modern, plan.meta = modern, {"another": 1} if modern else None
    plan.declared = message()["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"]
    return {"t": plan}


def message(**changed: Any) -> dict[str, Any]:
    return modern_request("tools/call", {"name": "t", "arguments": {}})[0] | changed


def with_params(**changed: Any) -> dict[str, Any]:
    return message(params=message()["params"] | changed)


def with_meta(**changed: Any) -> dict[str, Any]:
    return with_params(_meta=message()["params"]["_meta"] | changed)


@pytest.mark.parametrize("modern", [True, False])
def test_a_call_that_is_made_again_with_answers_is_not_certain(modern: bool) -> None:
    call = {**message()["params"], "requestState": "s"}
    if not modern:
        call["_meta"] = {"another": 1}
    assert plan_for(message(params=call), plans(modern=modern)) is False


def test_a_usual_call_has_its_plan_and_one_of_another_tool_has_none() -> None:
    held = plans()
    assert plan_for(message(), held) is held["t"]
    assert plan_for(message(id="m"), held) is held["t"]
    assert plan_for(with_params(name="other"), held) is None


ODD = {
    "no object": [],
    "another version of JSON-RPC": message(jsonrpc="1.0"),
    "a member more": message(extra=1),
    "a long id": message(id="x" * 65),
    "true as an id": message(id=True),
    "a number with a fraction as an id": message(id=1.0),
    "no id": message(id=None),
    "another method": message(method="tools/list"),
    "no arguments": message(params={"name": "t", "_meta": message()["params"]["_meta"]}),
    "null for arguments": with_params(arguments=None),
    "a list for arguments": with_params(arguments=[]),
    "a number for a name": with_params(name=1),
    "no envelope": message(params={"name": "t", "arguments": {}}),
    "another version": with_meta(**{"io.modelcontextprotocol/protocolVersion": "2025-11-25"}),
    "no capabilities": with_meta(**{"io.modelcontextprotocol/clientCapabilities": None}),
    "a log level": with_meta(**{"io.modelcontextprotocol/logLevel": "info"}),
    "progress": with_meta(progressToken=1),
    "a key of others": with_meta(**{"com.example/x": 1}),
    "a trace": with_meta(traceparent="00-" + "1" * 32 + "-" + "1" * 16 + "-01"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_call_that_is_odd_is_not_certain(name: str) -> None:
    assert plan_for(ODD[name], plans()) is False


@pytest.mark.parametrize("name", ["progress", "a key of others", "a trace"])
def test_a_legacy_call_has_no_meta(name: str) -> None:
    held = plans(modern=False)
    assert plan_for(message(params={"name": "t", "arguments": {}}), held) is held["t"]
    assert plan_for(ODD[name], held) is False


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), st.lists, max_leaves=5)


@given(st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params", "x"]), JSON), st.booleans())
def test_what_is_certain_is_the_request_that_the_parser_makes_of_it(changed: dict[str, Any], modern: bool) -> None:
    told = message(**changed) if modern else message(params={"name": "t", "arguments": {}}) | changed
    plan = plan_for(told, plans(modern=modern))
    if isinstance(plan, Plan):
        headers = RoutingHeaders(MODERN, "tools/call", "t") if modern else RoutingHeaders()
        parsed = parse(orjson.dumps(told), headers)
        assert isinstance(parsed, Request)
        assert (parsed.id, parsed.method, parsed.params) == (told["id"], "tools/call", told["params"])


def answer(**changed: Any) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": []}} | changed)


def test_a_usual_answer_is_the_complete_result_of_our_request() -> None:
    assert usual_result(answer(), 7) == {"content": []}
    assert usual_result(answer(result={"resultType": "complete"}), 7) == {"resultType": "complete"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" + answer() + b"]",
        answer(jsonrpc="1.0"),
        answer(id="7"),
        answer(id=8),
        answer(id=True),
        answer(id=7.0),
        answer(method="x"),
        answer(error={"code": -32022}),
        answer(result=None),
        answer(result={"resultType": "input_required"}),
        answer(result={"resultType": 1}),
        b'{"jsonrpc":"2.0","id":7,"result":{"n":100000000000000000000000}}',
        b'{"jsonrpc":"2.0","id":7,"result":{"n":"\\ud83d"}}',
        b"\xef\xbb\xbf" + answer(),
    ],
)
def test_an_answer_that_is_odd_is_not_certain(body: bytes) -> None:
    assert usual_result(body, 7) is None


EVENTS = {
    b"event: message\r\ndata: {}\r\n\r\n": b"{}",
    b"data:{}\n\n": b"{}",
    b"event: message\nid: 4\ndata: {}\n\n": b"{}",
    b"id: 4\nevent:message\ndata: {}\n\n": b"{}",
}


@pytest.mark.parametrize("content", EVENTS)
def test_the_message_of_an_only_event_is_found(content: bytes) -> None:
    assert only_message(content) == EVENTS[content]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"data: {}\n",
        b"data: {}",
        b": hello\n\ndata: {}\n\n",
        b"event: other\ndata: {}\n\n",
        b"data: {\ndata: }\n\n",
        b"data: {}\n\ndata: {}\n\n",
        b"data: \n\n",
        b"id: 1\ndata:\n\n",
        b"\xef\xbb\xbfdata: {}\n\n",
        b"data: {}\n\n ",
    ],
)
def test_what_may_be_more_than_one_event_is_not_certain(content: bytes) -> None:
    assert only_message(content) is None


LINES = (b"data: a", b"data:b", b"event: message", b"event: x", b"id: 1", b":c", b"", b"\r\n", b"\n", b"\r")


@given(st.lists(st.sampled_from(LINES)))
def test_what_is_taken_as_an_only_event_is_one_to_the_reader_of_streams(parts: list[bytes]) -> None:
    content = b"".join(parts)
    found = only_message(content)
    if found is not None:
        reader = EventReader()
        assert [(event.name, bytes(event.data)) for event in reader.feed(content)] == [("message", found)]
        assert not reader.behind
