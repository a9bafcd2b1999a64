from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from archway.admin import servers
from archway.admin.installations import why_not_ready
from archway.admin.names import with_standings
from archway.all_commands import app

STARTING = {"phase": "starting", "sentence": "", "message": "", "cure": ""}
CRASHED = {
    "phase": "failed", "sentence": "Its program ends again and again.", "message": "exit code 1", "cure": "Read it.",
}  # fmt: skip


class Logs:
    """An admin API that has one log."""

    def __init__(self, *lines: bytes, stopped: bool = False) -> None:
        self._lines, self._stopped, self.asked = lines, stopped, dict[str, Any]()

    def lines(self, path: str, **query: Any) -> Iterator[bytes]:
        self.asked = {"path": path, **query}
        yield from self._lines
        if self._stopped:
            raise KeyboardInterrupt


def run(monkeypatch: pytest.MonkeyPatch, api: Logs, *words: str) -> Any:
    monkeypatch.setattr(servers, "connect", lambda _: api)
    monkeypatch.setattr(servers, "find", lambda *_: "i1")
    return CliRunner().invoke(app, ["installations", "logs", "crm@Support", *words])


def test_a_log_is_printed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Logs(b"one\n", b"two\r\n", b"three")
    found = run(monkeypatch, api)
    assert (found.exit_code, found.output) == (0, "one\ntwo\nthree\n")
    assert api.asked == {"path": "/installations/i1/logs", "lines": 100, "previous": 0, "follow": 0}


def test_what_is_asked_for_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Logs()
    assert run(monkeypatch, api, "--follow", "--previous", "--lines", "7").exit_code == 0
    assert (api.asked["lines"], api.asked["previous"], api.asked["follow"]) == (7, 1, 1)


def test_who_follows_a_log_stops_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, Logs(b"one\n", stopped=True), "-f")
    assert (found.exit_code, found.output) == (130, "one\n")


def test_a_server_steers_no_terminal() -> None:
    assert servers.shown(b"\x1b[31mred\x1b]0;title\x07\ta\xff\n") == "\\x1b[31mred\\x1b]0;title\\x07\ta\ufffd"


def test_a_list_tells_how_a_server_that_archway_runs_does() -> None:
    new = {"standing": {"word": "not_asked", "cause": "Its server was not asked yet.", "cure": "Ask it."}}
    of_old: Any = None
    starting, failed, ready, waits = with_standings(
        of_old,
        [
            {**new, "runs": STARTING},
            {**new, "runs": CRASHED},
            {**new, "runs": {**STARTING, "phase": "ready"}},
            {"standing": {"word": "needs_sign_in", "cause": "None.", "cure": "Give it."}, "runs": CRASHED},
        ],
    )
    assert (starting["standing"], starting["cause"], starting["cure"]) == ("starting", "", "")
    assert (failed["standing"], failed["cause"]) == ("does not run", "Its program ends again and again. exit code 1")
    assert ready["standing"] == "not asked"
    assert waits["cause"] == "None."


def test_an_installation_whose_server_starts_is_told_as_such() -> None:
    told = why_not_ready({"state": "new", "address": "crm@Red Team", "runs": STARTING})
    assert told == "crm@Red Team is not ready (starting): archway installations show 'crm@Red Team' tells when it is."


def test_an_installation_whose_server_does_not_run_says_why_and_what_helps() -> None:
    told = why_not_ready({"state": "ready", "address": "crm@Support", "runs": CRASHED})
    assert told == "crm@Support is not ready (does not run): Its program ends again and again.\nRead it."
