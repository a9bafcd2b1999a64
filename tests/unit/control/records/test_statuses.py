from __future__ import annotations

from typing import get_args

from control.records.statuses import Status
from proxy.refusals import TABLE

BEFORE_THE_CALLER_IS_KNOWN = {
    "framing", "header_repeated", "header_value", "host_unknown", "origin_foreign", "path_unknown", "header_slow",
    "not_authenticated", "too_many_unknown", "cannot_authenticate", "no_sign_in", "sign_in_away",
}  # fmt: skip
"""Reasons of refusals that leave no record."""


def test_every_reason_for_which_a_known_caller_is_refused_can_be_asked_for():
    assert set(TABLE) > BEFORE_THE_CALLER_IS_KNOWN
    assert set(get_args(Status)) == (set(TABLE) - BEFORE_THE_CALLER_IS_KNOWN) | {
        "ok", "tool_error", "wrong_message", "internal",
    }  # fmt: skip
