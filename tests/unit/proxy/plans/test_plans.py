"""Which calls go by a plan, and what is said of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from core.mcp.versions import Era
from proxy.caches.two_ages import Aged
from proxy.plans.plans import MOST_OF_A_HEAD
from proxy.telemetry.metrics import REFUSALS, UNPLANNED, by_value
from proxy.tracing.tracer import Tracer
from tests.fakes.planned_lane import PlannedLane, planned_lane
from tests.unit.proxy.tracing.test_tracer import Kept


async def test_the_first_call_makes_its_head_known_and_the_second_makes_the_plan() -> None:
    async with planned_lane() as lane:
        lane.planned()
        assert (lane.by_plan, lane.unplanned("first")) == (0, 2)
        lane.asks().answers()
        assert (lane.by_plan, lane.unplanned("first")) == (1, 2)


async def test_without_plans_every_call_goes_through_the_stages() -> None:
    async with planned_lane(plans=False) as lane:
        lane.planned()
        lane.asks().answers()
        assert (lane.by_plan, lane.unplanned("off")) == (0, 3)


def drop_token(lane: PlannedLane) -> None:
    lane.worker.authority.verdicts.memory.drop(next(iter(lane.worker.authority.verdicts.memory.items()))[0])


def new_verdict(lane: PlannedLane) -> None:
    memory = lane.worker.authority.verdicts.memory
    key, aged = memory.items()[0]
    memory.put(key, Aged(aged.value, time.monotonic() + 1e6))


def swap_gateway(lane: PlannedLane) -> None:
    gateways = lane.worker.gateways
    gateways._let_go(lane.gateway.id)


CHANGES: dict[str, Callable[[PlannedLane], Any]] = {
    "the token is forgotten": drop_token,
    "the verdict is asked again": new_verdict,
    "a verdict is doubted": lambda lane: lane.worker.authority.doubt(),
    "an installation is doubted": lambda lane: lane.worker.installations.doubt(),
    "control refuses the token": lambda lane: lane.worker.authority.verdicts.memory.stands_no_more(
        lane.worker.authority.verdicts.memory.items()[0][0]
    ),
    "the installation is forgotten": lambda lane: lane.worker.installations.resolved.memory.drop(
        lane.installation_key
    ),
    "the gateway is let go": swap_gateway,
    "the era is forgotten": lambda lane: lane.deps.upstreams.health.eras.forget(lane.installation),
    "discovery asks again": lambda lane: lane.deps.upstreams.health.forget_installation("inst-1"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_plan_is_over_when_something_that_it_rests_on_changes(change: str) -> None:
    async with planned_lane() as lane:
        lane.planned()
        CHANGES[change](lane)
        lane.says(lane.request())
        assert lane.by_plan == 0


async def test_a_plan_is_over_with_the_session_of_its_caller() -> None:
    async with planned_lane(caller=Era.LEGACY) as lane:
        lane.planned()
        (jti,) = lane.deps.sessions._keys
        lane.deps.sessions.end_here(jti)
        lane.says(lane.request())
        await asyncio.sleep(0.05)
        assert lane.by_plan == 0
        assert lane.answer().status == 404


async def test_a_plan_is_over_with_the_session_of_its_server() -> None:
    async with planned_lane(server=Era.LEGACY) as lane:
        lane.planned()
        lane.deps.upstreams.sessions.forget_installation("inst-1")
        lane.says(lane.request())
        assert lane.by_plan == 0


async def test_an_expired_token_has_not_one_call_more() -> None:
    async with planned_lane() as lane:
        lane.planned()
        memory = lane.worker.authority.verdicts.memory
        key, aged = memory.items()[0]
        memory.put(key, Aged(aged.value, aged.asked, time.time() + 60))
        for _ in range(2):  # the plan that rests on this one
            lane.asks().answers()
            lane.answer()
        assert lane.by_plan == 1
        later = time.time() + 61
        with patch("proxy.plans.plans.time", lambda: later):
            lane.says(lane.request())
        assert lane.by_plan == 1


async def test_a_plan_that_grows_old_is_renewed_by_one_call_while_the_others_go_by_it() -> None:
    async with planned_lane() as lane:
        lane.planned()
        (plan,) = next(iter(lane.lane.parts.memory.heads())).plans.values()  # type: ignore[union-attr]  # it has one
        plan.renew_at = 0.0
        lane.asks().answers()
        assert (lane.by_plan, lane.unplanned("again")) == (0, 1)
        lane.asks().answers()
        lane.asks().answers()
        assert lane.by_plan == 2


ODD_CALLS: dict[str, tuple[str, Callable[[PlannedLane], bytes]]] = {
    "progress": ("unusual", lambda lane: lane.request(meta={"progressToken": 1})),
    "no JSON": ("unusual", lambda lane: lane.request().replace(b'"jsonrpc"', b'"jsonrpc":')[:-1]),
    "a long id": ("unusual", lambda lane: lane.request(id="x" * 65)),
}


@pytest.mark.parametrize("name", ODD_CALLS)
async def test_an_unusual_call_is_left_to_the_stages(name: str) -> None:
    async with planned_lane() as lane:
        lane.planned()
        why, made = ODD_CALLS[name]
        lane.says(made(lane))
        assert (lane.by_plan, lane.unplanned(why)) == (0, 0 if name == "no JSON" else 1)


async def test_a_body_that_comes_behind_its_head_is_left_to_the_stages() -> None:
    async with planned_lane() as lane:
        lane.planned()
        data = lane.request()
        lane.says(data[:-1], data[-1:])
        lane.asked().answers()
        assert (lane.by_plan, lane.unplanned("in_pieces")) == (0, 1)


async def test_the_last_call_of_a_connection_is_left_to_the_stages() -> None:
    async with planned_lane() as lane:
        for number in (1, 2, 3):
            more = lane.another_caller()
            more.data_received(lane.request({"n": number}, headers="Connection: close\r\n"))
            lane.asked().answers()
        assert (lane.by_plan, lane.unplanned("last")) == (0, 1)


async def test_a_body_above_its_limit_is_refused_with_a_plan_as_without() -> None:
    async with planned_lane(max_body=400) as lane:
        lane.planned()
        lane.says(lane.request({"x": "y" * 400}))
        assert lane.answer().status == 413
        assert lane.by_plan == 0


async def test_where_no_connection_lies_idle_nothing_was_taken() -> None:
    async with planned_lane() as lane:
        lane.planned()
        for server in lane.servers:
            server.out.lose()
        lane.says(lane.request())
        assert (lane.by_plan, lane.unplanned("no_connection")) == (0, 1)
        assert lane.worker.usage.calls_in_flight == 1  # of the one that opens a connection


@pytest.mark.parametrize("connections", [0, 1])
async def test_whether_a_call_is_traced_is_drawn_once(connections: int) -> None:
    async with planned_lane(tracer=Tracer(Kept(), ratio=0.0, per_second=1)) as lane:
        lane.planned()
        if not connections:
            for server in lane.servers:
                server.out.lose()
        with patch("proxy.tracing.tracer.random.random", return_value=0.5) as drawn:
            lane.says(lane.request())
        assert (lane.by_plan, drawn.call_count) == (connections, 1)


async def test_a_call_that_is_traced_goes_through_the_stages_with_its_trace() -> None:
    tracer = Tracer(kept := Kept(), ratio=0.0, per_second=1)
    async with planned_lane(tracer=tracer) as lane:
        lane.planned()
        tracer._ratio = 1.0
        lane.asks().answers()
        assert (await lane.answer_in_time()).status == 200
        assert (lane.by_plan, lane.unplanned("traced"), len(kept.spans)) == (0, 1, 1)


async def test_where_something_is_against_the_server_the_stages_look_at_each_call() -> None:
    async with planned_lane() as lane:
        lane.planned()
        lane.deps.upstreams.health.breakers.call_failed("inst-1", "other", "somebody")
        lane.asks().answers()
        assert (lane.by_plan, lane.unplanned("in_doubt")) == (0, 1)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"calls_in_flight": 4}, "overloaded"), ({"calls_per_upstream": 1}, "busy")],
    ids=["a share of all", "of a server"],
)
async def test_limits_hold_for_planned_calls_too(settings: dict[str, int], reason: str) -> None:
    async with planned_lane(**settings) as lane:
        lane.planned()
        server = lane.asks()
        more = lane.another_caller()
        more.data_received(lane.request())
        assert (lane.by_plan, lane.unplanned("no_place")) == (1, 1)
        assert lane.count(by_value(REFUSALS)[reason]) == 1
        server.answers()
        assert lane.nothing_is_held()


@pytest.mark.parametrize(
    ("name", "headers", "fields", "why"),
    [
        ("a browser's", "Origin: http://gw.example:8080\r\n", {}, "browser"),
        ("with a trace", "Traceparent: 00-" + "1" * 32 + "-" + "1" * 16 + "-01\r\n", {}, "trace_context"),
    ],
)
async def test_a_head_whose_calls_hang_on_more_gets_no_plan(
    name: str, headers: str, fields: dict[str, Any], why: str
) -> None:
    async with planned_lane() as lane:
        for _ in range(3):
            lane.says(lane.request(headers=headers))
            lane.asked().answers()
            lane.answer()
        assert (lane.by_plan, lane.unplanned(why)) == (0, 1), name


async def test_plans_that_stand_no_more_go_with_the_next_sweep() -> None:
    async with planned_lane() as lane:
        lane.planned()
        plans = lane.lane.parts.plans
        (head,) = lane.lane.parts.memory.heads()
        plans._sweep(time.monotonic())
        assert head.plans
        drop_token(lane)
        plans._sweep(time.monotonic())
        assert head.plans == {}


async def test_a_sweep_looks_at_some_heads_with_each_call_and_is_over_with_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.plans.plans._AT_A_TIME", 2)
    async with planned_lane() as lane:
        lane.planned()
        plans = lane.lane.parts.plans
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans is not None
        three = [replace(head, plans=dict(head.plans)) for _ in range(3)]
        plans._heads = lambda: three
        drop_token(lane)
        due = plans._sweep_at
        plans._sweep(due)
        assert [bool(one.plans) for one in three] == [True, False, False]
        assert plans._sweep_at == due
        plans._sweep(due)
        assert [bool(one.plans) for one in three] == [False, False, False]
        assert plans._kept == 0
        assert plans._sweep_at > due


def test_every_word_is_used_once() -> None:
    assert len(set(UNPLANNED)) == len(UNPLANNED)


async def test_a_head_with_many_tools_keeps_its_other_plans_when_one_is_renewed() -> None:
    async with planned_lane() as lane:
        lane.planned()
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans is not None
        plan = head.plans["t"]
        head.plans.update({f"other-{number}": plan for number in range(MOST_OF_A_HEAD - 1)})
        plan.renew_at = 0.0
        drop_token(lane)
        lane.know(Era.MODERN)
        lane.asks().answers()
        assert len(head.plans) == MOST_OF_A_HEAD
        assert head.plans["t"] is not plan
