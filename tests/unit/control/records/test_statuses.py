from __future__ import annotations

from typing import get_args

from control.records.statuses import Status
from proxy.refusals import TABLE


def test_every_reason_that_ends_a_call_can_be_asked_for():
    reasons = {name for name, reason in TABLE.items() if reason.kind != "http"}
    assert set(get_args(Status)) == reasons | {"ok", "tool_error", "wrong_message", "internal"}
