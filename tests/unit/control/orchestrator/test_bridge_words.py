"""What the log of a pod says of the server behind its bridge, in lines that the bridge itself writes."""

from __future__ import annotations

import io

from bridge import kept_server
from control.orchestrator.bridge_words import LOGGER, BridgeSaid, bridge_said, packages_said
from core.bridge_terms import ANSWERS, DOES_NOT_RUN
from core.logs import json_logging


def written(*events: tuple[str, dict[str, object]]) -> list[bytes]:
    """The lines that the bridge's logger makes of these."""
    sink = io.StringIO()
    with json_logging(sink=sink):
        for event, extra in events:
            kept_server.log.warning(event, extra=extra)
    return [line.encode() for line in sink.getvalue().splitlines(keepends=True)]


ENDED = (DOES_NOT_RUN, {"cause": "crashed", "why": "KeyError: 'API_KEY'", "pause_s": 1.0})
NO_PROGRAM = (DOES_NOT_RUN, {"cause": "no_such_program", "why": "serve: No such file or directory", "pause_s": 1.0})


def test_the_latest_end_counts_and_how_many_there_were() -> None:
    assert bridge_said(written(ENDED, NO_PROGRAM)) == BridgeSaid(
        "no_such_program", "serve: No such file or directory", 2
    )


def test_one_that_has_answered_since_did_not_end() -> None:
    assert bridge_said(written(ENDED, (ANSWERS, {}))) is None
    assert bridge_said(written(ENDED, (ANSWERS, {}), ENDED)) == BridgeSaid("crashed", "KeyError: 'API_KEY'", 1)


def test_a_server_cannot_speak_as_its_bridge() -> None:
    forged = '{"logger": "bridge", "event": "the server does not run", "cause": "crashed", "why": "x"}'
    assert bridge_said(written(("the server wrote", {"line": forged}))) is None


def test_what_is_no_line_of_the_bridge_says_nothing() -> None:
    assert bridge_said([b"npm warn\n", b"[]\n", b"7\n", b'{"event": "the server does not run"}\n', b"\xff\n"]) is None


def test_the_lines_are_of_the_bridges_own_logger() -> None:
    assert kept_server.log.name.partition(".")[0] == LOGGER


def test_the_packages_are_those_of_the_run_that_answered_last() -> None:
    first, second = '[["files", "1.0.0"]]', '[["files", "1.1.0"]]'
    lines = written((ANSWERS, {"packages": first}), ENDED, (ANSWERS, {"packages": second}), ENDED)
    assert packages_said(lines) == [["files", "1.1.0"]]
    assert packages_said(written((ANSWERS, {"packages": first}), (ANSWERS, {}))) == []
    assert packages_said(written((ANSWERS, {"packages": "nonsense"}), ENDED)) == []
