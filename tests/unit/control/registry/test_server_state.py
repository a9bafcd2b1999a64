from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.registry.server_state import ServerState, as_seen_now, same_but_for_time
from tests.fakes.registry import MADE_AT, a_server_state


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({}, True),
        ({"phase": "degraded"}, True),
        ({"endpoint": ""}, False),
        ({"phase": "starting"}, False),
        ({"phase": "failed"}, False),
        ({"phase": "stopping"}, False),
    ],
)
def test_a_server_answers_where_it_is_ready_and_has_an_address(changes: dict[str, Any], answers: bool) -> None:
    assert a_server_state(**changes).answers is answers


def test_two_reports_are_the_same_whenever_they_were_made() -> None:
    state = a_server_state()
    assert same_but_for_time(state, replace(state, changed_at=MADE_AT))
    assert not same_but_for_time(state, replace(state, restarts=1))


def test_what_was_kept_is_told() -> None:
    state = a_server_state()
    assert as_seen_now("i1", state, "process") is state


def test_a_server_of_which_nothing_was_reported_is_about_to_be_started() -> None:
    assert as_seen_now("i1", None, "cluster") == ServerState(
        installation_id="i1", place="cluster", phase="pending", generation=0
    )


def test_what_another_place_reported_is_not_so_here() -> None:
    assert as_seen_now("i1", a_server_state(place="cluster"), "process").phase == "pending"


def test_where_nothing_runs_servers_each_of_them_says_so() -> None:
    now = as_seen_now("i1", a_server_state(), None)
    assert (now.phase, now.cause, now.answers) == ("failed", "no_runtime", False)
