from __future__ import annotations

from typing import Any

import pytest

from control.credentials.reaching import Reaching, reaching
from control.registry.entry import Entry
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Place, ServerState
from core.resolve import InstallationRefusal
from tests.fakes.registry import BEARER, a_server_state, an_entry, an_installation

SECRETS = OpenedSecrets({"x-fixed": "f"}, {"credential": "k"}, "b-token")


def ours(transport: str = "stdio") -> Entry:
    return an_entry(reached=SelfHosted(transport=transport), credential=BEARER)  # type: ignore[arg-type]


def reached(entry: Entry, state: ServerState | None, place: Place | None = "process") -> Reaching:
    found = reaching(entry, an_installation(server_state=state, secret_names=("credential",)), SECRETS, place)
    assert isinstance(found, Reaching)
    return found


def refused(state: ServerState | None, place: Place | None = "process", **changes: Any) -> InstallationRefusal:
    found = reaching(ours(), an_installation(server_state=state, **changes), SECRETS, place)
    assert isinstance(found, InstallationRefusal)
    return found


def test_a_remote_server_is_reached_where_its_entry_says_whatever_runs_here() -> None:
    found = reached(an_entry(credential=BEARER), a_server_state())
    assert (found.kind, found.url) == ("remote", "https://github.test/mcp")
    assert (dict(found.fixed_headers), found.own_headers) == ({"x-fixed": "f"}, (("authorization", "Bearer k"),))


def test_a_server_over_stdio_is_reached_at_its_bridge_with_nothing_but_the_bridges_token() -> None:
    found = reached(ours(), a_server_state())
    assert (found.kind, found.url) == ("process", "http://127.0.0.1:40001/mcp")
    assert (dict(found.fixed_headers), found.own_headers) == ({}, (("authorization", "Bearer b-token"),))


def test_a_server_over_http_gets_its_credential_with_each_call() -> None:
    state = a_server_state(place="cluster", endpoint="http://mcp-x.tools.svc:8080/mcp")
    found = reached(ours("http"), state, "cluster")
    assert (found.kind, found.url) == ("cluster", "http://mcp-x.tools.svc:8080/mcp")
    assert (dict(found.fixed_headers), found.own_headers) == ({"x-fixed": "f"}, (("authorization", "Bearer k"),))


def test_one_whose_latest_change_does_not_run_is_reached_as_before() -> None:
    assert reached(ours(), a_server_state(phase="degraded", cause="image_pull")).url == "http://127.0.0.1:40001/mcp"


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "GitHub is starting. Try again in 15 s."),
        (a_server_state(phase="pending"), "GitHub is starting. Try again in 15 s."),
        (
            a_server_state(phase="pulling"),
            "GitHub is starting: its image is being pulled. Try again in 15 s.",
        ),
        (a_server_state(phase="starting"), "GitHub is starting. Try again in 5 s."),
        (
            a_server_state(phase="asleep"),
            "GitHub is being started: it was ended, since nobody had called it for a while. Try again in 10 s.",
        ),
        (a_server_state(endpoint=""), "GitHub is starting. Try again in 15 s."),
    ],
)
def test_a_call_to_a_server_that_is_on_its_way_waits_or_is_told_when_to_try_again(
    state: ServerState | None, says: str
) -> None:
    found = refused(state)
    assert (found.code, found.sentence, found.under_way) == ("server_starting", says, True)


def test_nobody_waits_where_something_is_in_the_way_already() -> None:
    found = refused(a_server_state(phase="pulling", cause="image_pull", message="401 from registry.internal"))
    assert (found.code, found.under_way) == ("server_starting", False)
    assert "Its image cannot be pulled. Try again in 15 s." in found.sentence
    assert "registry.internal" not in found.sentence


def test_the_cause_and_the_cure_of_a_failure_are_told() -> None:
    found = refused(a_server_state(phase="failed", cause="crashed", message="KeyError: 'secret'"))
    assert (found.code, found.under_way) == ("server_failed", False)
    assert found.sentence.startswith("GitHub does not run: Its program ends again and again. For an admin: Read ")
    assert "archway installations logs github@organisation --previous" in found.sentence
    assert "KeyError" not in found.sentence


def test_where_nothing_runs_servers_a_caller_is_told_so() -> None:
    found = refused(a_server_state(), None)
    assert found.code == "server_failed"
    assert "Nothing here runs it." in found.sentence


def test_the_headers_are_not_shown() -> None:
    assert "b-token" not in repr(reached(ours(), a_server_state()))
