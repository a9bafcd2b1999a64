import logging

import pytest

from bridge import printed as module
from bridge.lines import TooLong
from bridge.printed import LONGEST, MOST_A_SECOND, Printed
from core.redaction import Redaction


@pytest.fixture
def printed(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module.time, "monotonic", lambda: 5.0)
    return Printed(Redaction(["a-secret"]))


def test_words_are_logged_without_secrets(printed, caplog):
    printed.words(b"with a-secret \xff\r")

    assert [record.line for record in caplog.records] == ["with [redacted] \ufffd"]
    assert printed.latest == "with [redacted] \ufffd"


def test_a_secret_is_taken_out_before_a_line_is_cut(printed):
    printed.words(b"x" * (LONGEST - 4) + b"a-secret")

    assert printed.latest.endswith("x[red")


def test_empty_lines_are_nothing(printed, caplog):
    printed.words(b"  \r")
    printed.no_message(b"", "what is no message")

    assert [caplog.records, printed.stray, printed.latest] == [[], 0, ""]


def test_of_a_flood_some_lines_are_written_and_the_rest_counted(printed, caplog, monkeypatch):
    for _ in range(MOST_A_SECOND + 7):
        printed.words(b"again")
    assert len(caplog.records) == MOST_A_SECOND

    monkeypatch.setattr(module.time, "monotonic", lambda: 6.0)
    printed.words(b"and again")

    assert [record.message for record in caplog.records[MOST_A_SECOND:]] == [
        "lines of the server were left out", "the server wrote",
    ]  # fmt: skip
    assert caplog.records[MOST_A_SECOND].lines == 7


def test_the_last_lines_are_kept_until_another_run_begins(printed):
    for number in range(20):
        printed.no_message(b"line %d" % number, "what is no message")
    assert printed.latest.splitlines() == [f"line {number}" for number in range(12, 20)]
    assert printed.stray == 20

    printed.forget()

    assert [printed.latest, printed.stray] == ["", 0]


def test_of_a_line_too_long_its_size_is_told(printed, caplog):
    printed.no_message(TooLong(b"a-secret", b"a-secret", 100_000_000), "a line that is too long")

    assert caplog.records[0].line == "(100000000 bytes on one line)"
