"""Attempts to sign in on the command line: what failed is told whole, below the table."""

from __future__ import annotations

from typing import get_args

from archway.admin.sign_ins import SIGN_IN, why_and_what_helps, with_names
from control.registry.sign_in_attempt import Step

FAILED = {
    "at": "2026-11-28T10:00:00Z", "step": "token", "outcome": "failed", "client": "Claude", "gateway": "desk",
    "user_name": "Ann", "reason": "no " * 60, "asked": "resource\x1b[31m", "cure": "Sign in again. " * 20,
}  # fmt: skip
WORKED = FAILED | {"outcome": "ok", "reason": "", "asked": "", "cure": ""}


def test_what_failed_is_told_whole_with_what_helps_and_cannot_steer_a_terminal() -> None:
    told = why_and_what_helps([WORKED, FAILED])
    assert FAILED["reason"].strip() in told
    assert FAILED["cure"].strip() in told
    assert "2026-11-28T10:00:00Z token  Claude at desk" in told
    assert "resource·[31m" in told


def test_where_nothing_failed_nothing_more_is_said() -> None:
    assert why_and_what_helps([WORKED]) == ""


def test_a_person_is_named_and_a_stranger_is_not() -> None:
    assert [one["user"] for one in with_names(None, [FAILED, FAILED | {"user_name": ""}])] == ["Ann", ""]  # type: ignore[arg-type] # asks nothing


def test_every_step_can_be_asked_for() -> None:
    (step,) = [one for one in SIGN_IN.filters if one.name == "step"]
    assert step.words == get_args(Step)
