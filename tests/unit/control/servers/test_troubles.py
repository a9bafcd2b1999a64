from __future__ import annotations

import pytest

from control.registry.server_state import Phase, ServerState
from control.servers.runtime import Refused, RuntimeAway
from control.servers.troubles import asleep, away, refused
from tests.unit.control.servers.conftest import wanted_server

WHY = Refused("refused_by_cluster", "quota exceeded")
AWAY = RuntimeAway("the cluster's API is away")


def kept(phase: Phase, generation: int = 1, endpoint: str = "http://a.test/mcp") -> ServerState:
    return ServerState(
        installation_id="i", place="cluster", phase=phase, generation=generation, endpoint=endpoint, restarts=3
    )


def test_a_server_that_was_never_taken_has_failed() -> None:
    state = refused("i", 2, "cluster", WHY, None)
    assert (state.phase, state.cause, state.message, state.generation, state.endpoint) == (
        "failed", "refused_by_cluster", "quota exceeded", 2, "",
    )  # fmt: skip


@pytest.mark.parametrize("phase", ["ready", "degraded"])
def test_a_server_that_answers_goes_on_answering_when_its_change_is_refused(phase: Phase) -> None:
    state = refused("i", 2, "cluster", WHY, kept(phase))
    assert (state.phase, state.cause, state.generation) == ("degraded", "refused_by_cluster", 2)
    assert state.endpoint == "http://a.test/mcp"


def test_a_server_that_must_not_go_on_has_failed_whatever_answered() -> None:
    state = refused("i", 0, "cluster", Refused("no_token", "its provider is away", ends=True), kept("ready", 7))
    assert (state.phase, state.cause, state.generation, state.endpoint) == ("failed", "no_token", 7, "")


def test_why_a_server_that_had_failed_fails_now_is_told_of_its_latest_generation() -> None:
    assert refused("i", 0, "cluster", WHY, kept("failed", 7)).generation == 7


def test_a_server_that_answered_elsewhere_has_failed_here() -> None:
    assert refused("i", 2, "process", WHY, kept("ready")).phase == "failed"


def test_a_server_that_was_never_heard_of_waits_for_its_runtime() -> None:
    state = away("i", 1, "cluster", AWAY, None)
    assert state is not None
    assert (state.phase, state.cause, state.message) == ("pending", "runtime_away", "the cluster's API is away")


@pytest.mark.parametrize("known", [kept("ready"), kept("degraded"), kept("failed", generation=2)])
def test_nothing_new_is_known_of_a_server_while_its_runtime_is_away(known: ServerState) -> None:
    assert away("i", 2, "cluster", AWAY, known) is None


def test_a_change_that_waits_for_its_runtime_is_told_where_nothing_answers() -> None:
    state = away("i", 2, "cluster", AWAY, kept("failed", endpoint=""))
    assert state is not None
    assert state.generation == 2


def test_one_that_is_asleep_has_nothing_wrong_and_no_address() -> None:
    state = asleep(wanted_server("i", 3), "process")
    assert (state.phase, state.cause, state.generation, state.answers) == ("asleep", "", 3, False)
