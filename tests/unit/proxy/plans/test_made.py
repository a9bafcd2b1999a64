"""What a plan keeps of the call from which it is taken."""

from __future__ import annotations

from typing import Any

import pytest

from core.mcp.methods import META_CLIENT_INFO
from tests.fakes.planned_lane import PlannedLane, planned_lane

PLAIN = {"name": "client", "version": "1"}
HEAVY: dict[str, Any] = {
    "a long text": {"name": "client", "version": "1", "title": "x" * 257},
    "many members": {"name": "client", "version": "1"} | {f"x{n}": "" for n in range(8)},
    "a list": {"name": "client", "version": "1", "icons": [[]]},
    "no object": "client",
}


def call_twice(lane: PlannedLane, info: object) -> None:
    for _ in range(2):
        lane.asks(meta={META_CLIENT_INFO: info}).answers()
        lane.answer()


def kept(lane: PlannedLane) -> object:
    (head,) = lane.lane.parts.memory.heads()
    assert head.plans
    return head.plans["t"].client_info


async def test_what_a_usual_client_says_of_itself_is_kept() -> None:
    async with planned_lane() as lane:
        call_twice(lane, PLAIN)
        assert kept(lane) == PLAIN


@pytest.mark.parametrize("what", HEAVY)
async def test_what_may_be_megabytes_is_not_kept_with_a_plan(what: str) -> None:
    async with planned_lane() as lane:
        call_twice(lane, HEAVY[what])
        assert type(kept(lane)) is object


@pytest.mark.parametrize("what", ["a long text", "many members", "a list"])
async def test_a_record_names_a_client_that_is_not_kept(what: str) -> None:
    async with planned_lane() as lane:
        call_twice(lane, HEAVY[what])
        call_twice(lane, HEAVY[what])
        assert lane.by_plan == 2
        assert {record.client for record in lane.records} == {"client 1"}
