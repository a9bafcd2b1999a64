from typing import Any

import orjson
import pytest

from proxy import pipeline
from proxy.exchange import Exchange
from proxy.methods import method_of
from proxy.pipeline import AT_HEADERS, TO_UPSTREAM, at_headers, at_message, at_message_now, call
from proxy.refusals import Refusal
from tests.fakes.call_parts import Outlet, exchange, gateway, parts, tool
from tests.fakes.callers import a_user


def test_nothing_of_the_body_is_looked_at_before_the_caller_and_the_gateway_are_known() -> None:
    assert [stage.__name__ for stage in AT_HEADERS] == ["admit", "authenticate", "enter_gateway"]


def test_the_stages_of_a_call_stand_in_their_order() -> None:
    assert [stage.__name__ for stage in TO_UPSTREAM] == [
        "apply_policy", "apply_limits", "resolve_credential", "compose_headers", "forward",
        "receive", "show_uris", "relay",
    ]  # fmt: skip


def a_stage_that(raises: BaseException) -> Any:
    def stage(x: Exchange, _deps: Any) -> None:
        raise raises

    return stage


async def called(monkeypatch: pytest.MonkeyPatch, raises: BaseException) -> tuple[Exchange, Any]:
    monkeypatch.setattr(pipeline, "TO_UPSTREAM", (*TO_UPSTREAM[:2], a_stage_that(raises)))
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        method_of(x)
        await call(x, deps)
        assert deps.usage.calls_in_flight == 0
        assert deps.usage.bytes_in_flight == 0
        assert deps.usage.at_servers == 0
        assert deps.records.kept == 1
    return x, orjson.loads(x.answer.body) if x.answer is not None else None


async def test_a_refused_call_gives_back_what_it_held_and_leaves_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    x, said = await called(monkeypatch, Refusal("upstream_refused", server="server"))
    assert said["result"]["isError"] is True
    assert said["result"]["_meta"]["archway/refusal"]["request_id"] == x.request_id


async def test_of_a_bug_the_caller_learns_the_request_id_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    x, said = await called(monkeypatch, ZeroDivisionError("secret detail"))
    assert said["error"] == {"code": -32603, "message": "Internal error.", "data": {"request_id": x.request_id}}
    assert x.status == "internal"


async def test_after_a_stream_has_begun_there_is_an_answer_still(monkeypatch: pytest.MonkeyPatch) -> None:
    async def progress(x: Exchange, _deps: Any) -> None:
        await x.outlet.send_event(b"{}")

    monkeypatch.setattr(pipeline, "TO_UPSTREAM", (progress, a_stage_that(Refusal("cancelled"))))
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        method_of(x)
        await call(x, deps)
    assert x.answer is not None
    assert orjson.loads(x.answer.body)["id"] == 1
    assert isinstance(x.outlet, Outlet)
    assert x.outlet.events == [b"{}"]


async def test_a_principal_with_a_quarter_of_the_calls_is_refused_and_another_is_not() -> None:
    async with parts(calls_in_flight=8) as deps:
        deps.usage.running.take("user:u", 2, most=8, share=2)
        greedy, other = exchange(gateway([tool()])), exchange(gateway([tool()]))
        other.caller = a_user("other")
        method_of(greedy)
        method_of(other)
        with pytest.raises(Refusal, match="overloaded"):
            await call(greedy, deps)
        await call(other, deps)
        assert other.answer is not None
        assert deps.usage.calls_in_flight == 2


def says(x: Exchange, **message: Any) -> Exchange:
    """With this body, which nobody has read yet."""
    x.body, x.message, x.refused_as = orjson.dumps({"jsonrpc": "2.0"} | message), None, None
    x.headers = {"content-type": "application/json"}
    return x


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 1, "result": {}}),
        ({"id": 1, "method": 2}, None),
        ({"id": 1, "method": "no/such"}, None),
        ({"id": 1, "result": {}}, None),
    ],
)
async def test_what_waits_for_nobody_is_answered_at_once(message: dict[str, Any], said: object) -> None:
    async with parts() as deps:
        answer = at_message_now(says(exchange(gateway()), **message), deps)
        assert answer is not None
        assert said is None or orjson.loads(answer.body) == said
        awaited = await at_message(says(exchange(gateway()), **message), deps)
        assert awaited is not None
        assert awaited.status == answer.status


async def test_a_call_goes_on_from_where_nothing_waited() -> None:
    async with parts() as deps:
        x = says(exchange(gateway([tool()])), id=1, method="tools/call", params={"name": "t"})
        assert at_message_now(x, deps) is None
        x.body = b"read already"
        answer = await at_message(x, deps)
    assert answer is not None
    assert orjson.loads(answer.body)["result"]["_meta"]["archway/refusal"]["code"] == "credential_unavailable"


@pytest.mark.parametrize(
    ("message", "outlives"),
    [({"method": "tools/call", "params": {"name": "t"}, "id": 1}, True), ({"method": "ping", "id": 1}, False)],
)
async def test_only_a_legacy_call_outlives_its_caller(message: dict[str, Any], outlives: bool) -> None:
    async with parts() as deps:
        x = says(exchange(gateway([tool()])), **message)
        at_message_now(x, deps)
        assert x.outlives_caller is outlives
    assert not exchange(gateway()).outlives_caller  # a modern one


async def test_at_the_headers_nothing_after_a_stage_that_waits_runs_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []

    async def later() -> None:
        ran.append("waited")

    def waits(_x: Exchange, _deps: Any) -> Any:
        return later()

    def last(_x: Exchange, _deps: Any) -> None:
        ran.append("last")

    monkeypatch.setattr(pipeline, "AT_HEADERS", (last, waits, waits, last))
    async with parts() as deps:
        pending = at_headers(exchange(gateway()), deps)
        assert ran == ["last"]
        assert pending is not None
        await pending
    assert ran == ["last", "waited", "waited", "last"]
