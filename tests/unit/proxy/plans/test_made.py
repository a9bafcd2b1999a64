"""What a plan keeps of the call from which it is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from core.mcp.methods import META_CLIENT_INFO
from proxy.caches.two_ages import Aged
from proxy.plans.plan import RENEW_S
from tests.fakes.planned_lane import PlannedLane, planned_lane
from tests.fakes.proxy_parts import user

PLAIN: dict[str, Any] = {"name": "client", "version": "1"}
HEAVY: dict[str, Any] = {
    "a long text": PLAIN | {"title": "x" * 3000},
    "many members": PLAIN | {f"x{n}": "" for n in range(400)},
    "a long list": PLAIN | {"icons": [[]] * 1000},
}


def call_twice(lane: PlannedLane, info: object) -> None:
    for _ in range(2):
        lane.asks(meta={META_CLIENT_INFO: info}).answers()
        lane.answer()


def kept(lane: PlannedLane) -> object:
    (head,) = lane.lane.parts.memory.heads()
    assert head.plans
    return head.plans["t"].meta


async def test_what_a_usual_client_says_of_itself_is_kept() -> None:
    async with planned_lane() as lane:
        call_twice(lane, PLAIN)
        told = kept(lane)
        assert isinstance(told, dict)
        assert told[META_CLIENT_INFO] == PLAIN


@pytest.mark.parametrize("what", HEAVY)
async def test_what_may_be_megabytes_is_not_kept_with_a_plan(what: str) -> None:
    async with planned_lane() as lane:
        call_twice(lane, HEAVY[what])
        assert type(kept(lane)) is object


@pytest.mark.parametrize("what", HEAVY)
async def test_a_record_names_a_client_that_is_not_kept(what: str) -> None:
    async with planned_lane() as lane:
        call_twice(lane, HEAVY[what])
        call_twice(lane, HEAVY[what])
        assert lane.by_plan == 2
        assert {record.client for record in lane.records} == {"client 1"}


async def test_a_plan_is_renewed_when_what_it_rests_on_is_young_no_more() -> None:
    async with planned_lane() as lane:
        lane.asks().answers()
        aged = lane.worker.authority.verdicts.memory.items()[0][1]
        aged.young_until = soon = time.monotonic() + RENEW_S / 2
        lane.asks().answers()
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        assert head.plans["t"].renew_at == soon


async def test_a_plan_of_the_last_moment_at_which_what_it_rests_on_is_young_is_renewed_by_the_next_call() -> None:
    async with planned_lane() as lane:
        lane.asks().answers()
        aged = lane.worker.authority.verdicts.memory.items()[0][1]
        aged.young_until = moment = time.monotonic()
        with patch("time.monotonic", return_value=moment):
            lane.asks().answers()
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        assert head.plans["t"].renew_at == moment


async def test_a_plan_is_not_used_when_what_it_rests_on_may_not_be_used_without_asking() -> None:
    async with planned_lane() as lane:
        lane.planned()
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        head.plans["t"].good_until = time.monotonic()
        lane.asks().answers()
        assert (lane.by_plan, lane.unplanned("again")) == (0, 1)


async def test_a_plan_is_not_used_when_its_gateway_is_not_known_to_be_current() -> None:
    async with planned_lane() as lane:
        lane.planned()
        lane.gateway.confirmed -= lane.deps.settings.max_stale + 1
        lane.says(lane.request())
        assert (lane.by_plan, lane.unplanned("again")) == (0, 0)


def another_verdict(lane: PlannedLane) -> None:
    memory = lane.worker.authority.verdicts.memory
    key, aged = memory.items()[0]
    memory.put(key, Aged(replace(aged.value, principal=user()), aged.asked + 1))


def another_installation(lane: PlannedLane) -> None:
    changed = replace(lane.installation, credential_headers=[("Authorization", "Bearer other")])
    lane.worker.installations.resolved.memory.put(lane.installation_key, Aged(changed, time.monotonic() + 1e6))


@pytest.mark.parametrize("replaced", [another_verdict, another_installation])
async def test_no_plan_is_made_of_what_was_replaced_while_the_call_was_with_its_server(
    replaced: Callable[[PlannedLane], None],
) -> None:
    async with planned_lane() as lane:
        lane.asks().answers()
        server = lane.asks()
        replaced(lane)
        server.answers()
        (head,) = lane.lane.parts.memory.heads()
        assert (head.plans, head.unplanned) == (None, "changed")


async def test_what_calls_of_a_plan_leave_says_what_their_caller_came_with() -> None:
    async with planned_lane() as lane:
        lane.signs_in()
        call_twice(lane, PLAIN)
        call_twice(lane, PLAIN)
        assert lane.by_plan > 0
        assert {(record.auth, record.token_id) for record in lane.records} == {("oauth", "the grant")}


async def test_a_plan_of_a_signed_token_is_good_no_longer_than_the_token() -> None:
    async with planned_lane() as lane:
        lane.signs_in(life=600)
        call_twice(lane, PLAIN)
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        plan = head.plans["t"]
        assert plan.expires == lane.verified.expires
        assert plan.stands(time.monotonic(), lane.verified.expires - 1)
        assert not plan.stands(time.monotonic(), lane.verified.expires)


async def test_calls_of_a_plan_bring_the_callers_own_token_where_that_is_the_credential() -> None:
    async with planned_lane() as lane:
        lane.signs_in()
        passed_on = replace(lane.installation, credential_headers=[], caller_token=True, made_for=lane.principal.key)
        far = time.monotonic() + 1e5
        lane.worker.installations.resolved.memory.put(lane.installation_key, Aged(passed_on, far))
        for _ in range(4):
            server = lane.asks()
            told = [line for line in server.head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
            assert told == [f"authorization: Bearer {lane.token}".encode()]
            server.answers()
            assert lane.answer().status == 200
        assert lane.by_plan > 0


async def test_a_plan_is_good_no_longer_than_the_token_that_its_calls_bring() -> None:
    async with planned_lane() as lane:
        end = time.time() + 600
        ending = replace(lane.installation, expires_at=end + 5)
        lane.worker.installations.resolved.memory.put(
            lane.installation_key, Aged(ending, time.monotonic() + 1e6, expires=end)
        )
        call_twice(lane, PLAIN)
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        plan = head.plans["t"]
        assert plan.stands(time.monotonic(), end - 1)
        assert not plan.stands(time.monotonic(), end)


async def test_a_plan_of_a_signed_token_ends_when_its_issuer_changes() -> None:
    async with planned_lane() as lane:
        lane.signs_in()
        call_twice(lane, PLAIN)
        (head,) = lane.lane.parts.memory.heads()
        assert head.plans
        lane.worker.signed_tokens.forget_issuer(lane.verified.issuer)
        assert not head.plans["t"].stands(time.monotonic(), time.time())


async def test_no_plan_is_made_of_a_token_that_was_forgotten_while_the_call_was_with_its_server() -> None:
    async with planned_lane() as lane:
        lane.signs_in()
        lane.asks().answers()
        lane.answer()
        server = lane.asks()
        lane.worker.signed_tokens.forget_issuer(lane.verified.issuer)
        server.answers()
        (head,) = lane.lane.parts.memory.heads()
        assert (head.plans, head.unplanned) == (None, "changed")
