"""A server that we run in words: how it does, why, what helps, where it runs and what it was made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from control.console.shown_servers import PHASE_WORDS, ShownServer, shown_server
from control.registry.idleness import Idleness
from control.registry.self_hosted import SelfHosted
from control.registry.server_causes import CAUSES
from control.registry.server_state import Phase, ServerState
from tests.fakes.registry import an_entry, an_installation


def shown(phase: Phase = "ready", **changes: Any) -> ShownServer:
    usual = {"installation_id": "i1", "place": "cluster", "generation": 1}
    return ShownServer(ServerState(**{**usual, "phase": phase, **changes}))


@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_phase_has_a_word_and_says_what_it_means(phase: Phase) -> None:
    assert shown(phase).badge == PHASE_WORDS[phase][:2]
    assert (shown(phase).cause == "") == (phase == "ready")


def test_one_that_is_asleep_is_fine_and_says_how_often_a_call_woke_it() -> None:
    asleep = ServerState(installation_id="i1", place="process", phase="asleep", generation=1)
    told = ShownServer(asleep, Idleness(used_at=datetime(2026, 1, 1, tzinfo=UTC), wakes=2))
    assert (told.badge, told.is_on_its_way, told.cure, told.woken) == (("asleep", "ok"), False, "", "2 times")
    assert (ShownServer(asleep).woken, ShownServer(asleep, Idleness(used_at=datetime.now(UTC))).woken) == ("", "")


@pytest.mark.parametrize("cause", [*CAUSES, "of-a-newer-version"])
def test_every_cause_says_why_and_what_helps_without_a_command(cause: str) -> None:
    one = shown("failed", cause=cause)
    assert one.cause
    assert one.cure
    assert "`" not in one.cure
    assert "archway " not in one.cure


def test_a_log_is_named_where_a_command_would_be() -> None:
    assert "Read the log of the run before" in shown("failed", cause="crashed").cure


def test_where_nothing_runs_servers_no_place_is_named() -> None:
    assert shown("failed", cause="no_runtime").where == ""
    assert shown(place="process").where == "as a program of Archway's machine"


def test_that_it_is_not_kept_apart_is_said() -> None:
    assert shown(isolation="none").isolation.startswith("not at all")
    assert shown(isolation="").isolation == ""


def test_what_was_resolved_at_its_start_is_shown() -> None:
    one = shown(resolved={"image": "a@sha256:b", "packages": [["some-server", "1.2.3"]]}, restarts=2)
    assert (one.image, one.packages, one.ended) == ("a@sha256:b", [("some-server", "1.2.3")], "2 times")
    assert (shown().image, shown().packages, shown().ended) == ("", [], "")


def test_only_an_entry_that_we_run_has_one() -> None:
    assert shown_server(an_entry(), an_installation(), "cluster") is None
    ours = an_entry(reached=SelfHosted(command=("npx",)))
    nowhere = shown_server(ours, an_installation(), None)
    assert nowhere is not None
    assert nowhere.state.cause == "no_runtime"
    waiting = shown_server(ours, an_installation(), "process")
    assert waiting is not None
    assert waiting.is_on_its_way
