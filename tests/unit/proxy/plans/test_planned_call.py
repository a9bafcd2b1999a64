"""A planned call to its end, and every way in which one becomes the pipeline's."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from itertools import pairwise
from unittest.mock import patch

import pytest

from core.mcp.methods import META_CLIENT_INFO
from core.mcp.versions import Era
from proxy.limits.forgetful import MOST_IDLE
from proxy.plans.planned_call import PlannedCall
from proxy.upstream.answers import ON_LOOP
from tests.fakes.planned_lane import LAST, STREAM, PlannedLane, Server, event, in_json, planned_lane

ERAS = pytest.mark.parametrize(
    ("caller", "server"), [(a, b) for a in (Era.MODERN, Era.LEGACY) for b in (Era.MODERN, Era.LEGACY)]
)


@ERAS
async def test_a_third_call_goes_by_the_plan_of_the_second(caller: Era, server: Era) -> None:
    async with planned_lane(caller=caller, server=server) as lane:
        lane.planned()
        asked = lane.asks({"text": "hi"}, id="m")
        assert lane.by_plan == 1
        assert asked.message["params"]["arguments"] == {"text": "hi"}
        asked.answers("there")
        assert lane.answer().result["content"] == [{"type": "text", "text": "there"}]
        assert lane.nothing_is_held()


@ERAS
async def test_with_a_plan_or_without_server_caller_and_record_see_the_same(caller: Era, server: Era) -> None:
    seen = []
    for plans in (True, False):
        async with planned_lane(caller=caller, server=server, plans=plans) as lane:
            lane.planned()
            asked = lane.asks({"b": 1, "a": [2]}, id="x")
            sent = dict(asked.message, id=0), asked.head.replace(lane.token.encode(), b"")
            asked.answers(structuredContent={"n": 1}, _meta={"v": 1})
            got, (record,) = lane.answer(), lane.records
            told = {name: getattr(record, name) for name in record.__struct_fields__ if name not in _OF_ONE_CALL}
            told["principal"] = record.principal == lane.principal.key
            seen.append((sent, got.status, got.json, told))
            assert lane.by_plan == plans
    (sent, *answered), (sent_too, *answered_too) = seen
    assert sent[0] == sent_too[0]
    assert sent[1].split(b"\r\n")[:-1] == sent_too[1].split(b"\r\n")[:-1]
    assert answered == answered_too


async def test_calls_of_a_plan_leave_rows_of_one_line_and_a_client_that_says_another_name_a_record_of_its_own() -> (
    None
):
    said = {META_CLIENT_INFO: {"name": "another", "version": "7"}}
    seen = []
    for plans in (True, False):
        async with planned_lane(caller=Era.MODERN, server=Era.MODERN, plans=plans) as lane:
            lane.planned()
            for meta in (None, said, None):
                lane.asks({"b": 1}, meta=meta).answers(isError=meta is not None)
                assert lane.answer().status == 200
            assert lane.by_plan == 3 * plans
            rows = [one for one in lane.worker.deps.records._waiting if isinstance(one, tuple)]
            assert len({id(line) for line, *_ in rows}) == plans
            assert len(rows) == 2 * plans
            seen.append([(one.client, one.status, one.arguments_sha256, one.bytes_out) for one in lane.records])
    assert seen[0] == seen[1]
    assert [client for client, *_ in seen[0]] == ["test 1", "another 7", "test 1"]


_OF_ONE_CALL = {"id", "time", "duration_ms", "request_id", "gateway_id", "entry_id", "session", "principal"}

Bent = Callable[[PlannedLane, Server], None]


def whole_but_odd(*result: bytes) -> Bent:
    def answer(_: PlannedLane, server: Server) -> None:
        server.says(in_json(b'{"jsonrpc":"2.0","id":%d,%b}' % (server.message["id"], result[0])))

    return answer


def pieces(*cuts: int, stream: bool = False) -> Bent:
    def answer(_: PlannedLane, server: Server) -> None:
        message = server.answer_to_it()
        data = STREAM + event(message) + LAST if stream else in_json(message)
        places = [0, *(cut % len(data) for cut in cuts), len(data)]
        server.says(*(data[start:end] for start, end in pairwise(places)))

    return answer


def every_byte(*, stream: bool) -> Bent:
    def answer(_: PlannedLane, server: Server) -> None:
        message = server.answer_to_it()
        data = STREAM + event(message) + LAST if stream else in_json(message)
        server.says(*(data[at : at + 1] for at in range(len(data))))

    return answer


def _ends_after(server: Server, length: int) -> None:
    if length:
        server.says(in_json(server.answer_to_it())[:length])
    server.connection.eof_received()
    server.out.lose()


def _late(lane: PlannedLane) -> None:
    """The time of every call is over, whether it goes by a plan or not."""
    deadlines = lane.deps.upstreams._deadlines
    for call in (*lane.lane.parts.plans._parts.running, *deadlines._running):
        call.until = 0.0
    deadlines._sweep()


def _begun_and_late(lane: PlannedLane, server: Server) -> None:
    server.says(in_json(server.answer_to_it())[:90])
    _late(lane)


FINE: dict[str, Bent] = {
    "in two pieces": pieces(80),
    "in three": pieces(20, 90),
    "byte by byte": every_byte(stream=False),
    "a stream at once": pieces(stream=True),
    "a stream behind its head": pieces(len(STREAM), stream=True),
    "a stream whose end comes later": pieces(len(STREAM), -len(LAST), stream=True),
    "a stream byte by byte": every_byte(stream=True),
    "a notification before the answer": lambda _, server: server.says(
        STREAM + event(b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}'),
        event(server.answer_to_it()) + LAST,
    ),
    "an id as text": lambda _, server: server.says(
        in_json(b'{"jsonrpc":"2.0","id":"%d","result":{"content":[]}}' % server.message["id"])
    ),
    "an odd number": whole_but_odd(b'"result":{"content":[],"n":100000000000000000000000}'),
    "a large answer": lambda _, server: server.answers("x" * (ON_LOOP + 1)),
}
WRONG: dict[str, tuple[Bent, str]] = {
    "an error": (whole_but_odd(b'"error":{"code":-1,"message":"no"}'), "upstream_error"),
    "another id": (
        lambda _, server: server.says(in_json(b'{"jsonrpc":"2.0","id":1,"result":{}}')),
        "upstream_broken",
    ),
    "no JSON": (lambda _, server: server.says(in_json(b"<html>")), "upstream_broken"),
    "a question": (whole_but_odd(b'"result":{"resultType":"input_required"}'), "upstream_asks"),
    "an unknown kind": (whole_but_odd(b'"result":{"resultType":"x"}'), "upstream_broken"),
    "a status": (lambda _, server: server.says(in_json(b"{}", "503 No")), "upstream_status"),
    "an end in the middle": (lambda _, server: _ends_after(server, 90), "upstream_broken"),
    "an end before anything": (lambda _, server: _ends_after(server, 0), "upstream_broken"),
    "a time that is over": (lambda lane, _: _late(lane), "upstream_slow"),
    "a time that is over in the middle": (_begun_and_late, "upstream_slow"),
}


async def outcome(lane: PlannedLane, bent: Bent) -> tuple[int, object, str]:
    """What the caller got of a call that was answered so, and how its record says it ended."""
    lane.planned()
    bent(lane, lane.asks({"text": "hi"}, id="m"))
    got = await lane.answer_in_time()
    (record,) = lane.records
    while not lane.nothing_is_held():  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(0.001)
    return got.status, {name: value for name, value in got.json.items() if name != "_meta"}, record.status


@pytest.mark.parametrize("name", FINE)
@ERAS
async def test_an_answer_that_is_good_in_another_way_is_the_same_to_the_caller(
    name: str, caller: Era, server: Era
) -> None:
    seen = []
    for plans in (True, False):
        async with planned_lane(caller=caller, server=server, plans=plans) as lane:
            seen.append(await outcome(lane, FINE[name]))
            assert lane.by_plan == plans
    assert seen[0] == seen[1]
    assert seen[0][2] == "ok"


@pytest.mark.parametrize("name", WRONG)
async def test_an_answer_that_is_wrong_is_refused_in_the_same_words(name: str) -> None:
    seen = []
    for plans in (True, False):
        async with planned_lane(plans=plans) as lane:
            bent, status = WRONG[name]
            got = await outcome(lane, bent)
            seen.append((got[0], got[1]["result"]["content"] if "result" in got[1] else got[1], got[2]))  # type: ignore[index,operator]  # of JSON
            assert got[2] == status
            assert lane.by_plan == plans
    assert seen[0] == seen[1]


@pytest.mark.parametrize("bent", ["an error", "a time that is over", "an end in the middle"])
async def test_a_bug_on_the_way_to_the_pipeline_holds_nothing_and_leaves_nobody_waiting(bent: str) -> None:
    async with planned_lane() as lane:
        lane.planned()
        server = lane.asks()
        with patch("proxy.plans.planned_call.exchange_of", side_effect=KeyError), pytest.raises(KeyError):
            WRONG[bent][0](lane, server)
        await asyncio.sleep(0)
        assert lane.out.closed
        assert server.out.closed
        assert lane.nothing_is_held()


async def test_a_modern_caller_that_leaves_ends_its_call_and_the_connection() -> None:
    async with planned_lane() as lane:
        lane.planned()
        server = lane.asks()
        lane.leaves()
        await asyncio.sleep(0)
        assert lane.left("caller") == 1
        assert server.out.closed
        assert [record.status for record in lane.records] == ["cancelled"]
        assert lane.nothing_is_held()


async def test_a_legacy_caller_that_leaves_ends_nothing() -> None:
    async with planned_lane(caller=Era.LEGACY) as lane:
        lane.planned()
        server = lane.asks()
        lane.leaves()
        await asyncio.sleep(0)
        assert not server.out.closed
        server.answers()
        assert [record.status for record in lane.records] == ["ok"]
        assert lane.nothing_is_held()


async def test_a_session_cancels_its_planned_call() -> None:
    async with planned_lane(caller=Era.LEGACY) as lane:
        lane.planned()
        server = lane.asks(id=7)
        (call,) = lane.lane.parts.plans._parts.running
        assert call.key is not None
        assert lane.deps.calls.cancel(call.key)
        assert lane.left("cancelled") == 1
        assert [record.status for record in lane.records] == ["cancelled"]
        await asyncio.sleep(0.01)
        assert lane.nothing_is_held()
        assert server.out.closed


async def test_a_worker_that_ends_calls_off_what_goes_by_a_plan() -> None:
    async with planned_lane() as lane:
        lane.planned()
        lane.asks()
        await lane.deps.calls.end()
        assert [record.status for record in lane.records] == ["cancelled"]
        assert lane.answer().status == 200  # says so
        assert lane.nothing_is_held()


async def test_a_worker_that_ends_records_a_call_of_a_session_once() -> None:
    async with planned_lane(caller=Era.LEGACY) as lane:
        lane.planned()
        lane.asks()
        assert lane.by_plan == 1
        await lane.deps.calls.end()
        assert [record.status for record in lane.records] == ["cancelled"]
        assert lane.nothing_is_held()


def planned_now(lane: PlannedLane) -> PlannedCall:
    call = lane.caller._served
    assert isinstance(call, PlannedCall)
    return call


ENDS: dict[str, Callable[[PlannedLane], None]] = {
    "late": _late,
    "its caller leaves": lambda lane: lane.leaves(),
    "the worker ends": lambda lane: planned_now(lane).cancel(),
}


@pytest.mark.parametrize("begun", [b"", b"5", b"5\r", b"\r", b"5\r\nhello", b"5\r\nhello\r", b"5\r\nhellox"])
@pytest.mark.parametrize("ends", ENDS)
async def test_a_call_whose_answer_stops_anywhere_in_a_chunk_ends_like_any_other(begun: bytes, ends: str) -> None:
    async with planned_lane() as lane:
        lane.planned()
        lane.asks().says(STREAM, LAST)  # so that the head is known
        await asyncio.sleep(0.01)
        lane.answer()
        server = lane.asks()
        assert lane.by_plan == 2
        server.says(STREAM + begun)
        if isinstance(lane.caller._served, PlannedCall):
            ENDS[ends](lane)
        await asyncio.sleep(0.01)
        assert len(lane.records) == 2
        assert lane.nothing_is_held()


async def test_a_call_that_leaves_its_plan_gives_its_places_back_where_its_caller_was_forgotten_meanwhile() -> None:
    async with planned_lane() as lane:
        lane.planned()
        usage = lane.worker.usage
        for number in range(2 * MOST_IDLE):  # others who came since
            usage.running.share(f"user:{number}")
            usage.held.share(f"user:{number}")
            assert usage.enter(f"server {number}", "user", "tool", 1)
            usage.leave(f"server {number}", "user", "tool")
        server = lane.asks()
        assert lane.by_plan == 1
        places = [usage.running.used, usage.held.used > 0, usage._at_servers.of(lane.tool.route.entry_id).used]
        assert places == [1, True, 1]
        server.says(in_json(b"{}", "503 Service Unavailable"))
        await asyncio.sleep(0.01)
        assert lane.answer().json
        assert lane.nothing_is_held()
        assert usage.running.of(lane.principal.key) == usage._at_servers.of(lane.tool.route.entry_id).used == 0


async def test_a_call_that_left_its_plan_gives_its_places_back_though_the_plan_is_gone_by_then() -> None:
    async with planned_lane() as lane:
        lane.planned()
        usage = lane.worker.usage
        usage.running._owners._forget_idle()  # so that the seat alone knows where its count is
        server = lane.asks()
        planned_now(lane)._to_pipeline("answer")
        for head in lane.lane.parts.memory.heads():
            head.plans = None
        gc.collect()
        assert usage.running.of(lane.principal.key) == 1
        server.answers()
        assert lane.answer().status == 200
        assert lane.nothing_is_held()
        assert usage.running.of(lane.principal.key) == 0


async def test_a_planned_call_leaves_nothing_to_the_garbage_collector() -> None:
    async with planned_lane() as lane:
        lane.planned()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                lane.asks().answers()
                lane.answer()
            assert gc.collect() == 0
        finally:
            gc.enable()


async def test_what_the_caller_does_not_read_is_held_until_it_does() -> None:
    async with planned_lane() as lane:
        lane.planned()
        server = lane.asks()
        lane.caller.pause_writing()
        server.answers("long")
        assert lane.worker.usage.bytes_in_flight > 0
        lane.caller.resume_writing()
        assert lane.nothing_is_held()


async def test_a_caller_that_leaves_its_answer_unread_leaves_nothing_held() -> None:
    async with planned_lane() as lane:
        lane.planned()
        server = lane.asks()
        lane.caller.pause_writing()
        server.answers("long")
        lane.leaves()
        assert lane.nothing_is_held()


async def test_a_planned_call_has_its_deadline_though_nothing_ran_for_a_while_before_it() -> None:
    async with planned_lane(call_seconds=0.1) as lane:
        lane.planned()
        await lane.at_rest()
        lane.asks()
        await lane.answer_in_time()
        assert [record.status for record in lane.records] == ["upstream_slow"]
        assert lane.left("deadline") == 1
        assert lane.nothing_is_held()
