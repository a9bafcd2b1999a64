"""Whose calls turn the light green, and what is told of the last."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from control.console.last_call import looked_after, told
from control.registry.access import Caller
from control.store.records import KeptRecord

TEAM, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def test_a_person_waits_for_their_own_calls_and_those_of_tokens_that_they_look_after() -> None:
    assert looked_after(Caller("u", "Ann", "member", {TEAM: "member"})) == ["user:u"]
    assert looked_after(Caller("u", "Ann", "member", {TEAM: "admin", OTHER: "editor"})) == ["user:u", f"team:{TEAM}"]
    assert looked_after(Caller("u", "Ann", "admin")) == ["user:u", "organisation"]


@pytest.mark.parametrize(
    ("status", "well"), [("ok", True), ("tool_error", True), ("quarantined", False), ("upstream_slow", False)]
)
def test_a_call_went_well_where_the_server_answered(status: str, well: bool) -> None:
    kept = KeptRecord("r", datetime.now(UTC), {"status": status, "tool": "t", "client": "c 1", "reason": "why"})
    call = told(kept)
    assert (call.well, call.tool, call.client, call.reason) == (well, "t", "c 1", "why")
