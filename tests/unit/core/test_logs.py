from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.logs import MAX_FIELD, JsonLines, json_logging, lines_dropped


def a_line(event: str, **fields: object) -> str:
    record = logging.makeLogRecord({"name": "test", "levelname": "INFO", "msg": event, **fields})
    return JsonLines().format(record)


def test_an_event_is_one_line_of_json_with_its_fields() -> None:
    line = json.loads(a_line("snapshot swapped", gateway="work", revision=3))
    assert (line["event"], line["gateway"], line["revision"], line["level"]) == (
        "snapshot swapped",
        "work",
        3,
        "info",
    )


@given(st.text())
def test_no_input_breaks_or_forges_a_line(text: str) -> None:
    line = a_line("event", field=text)
    assert "\n" not in line
    assert json.loads(line)["event"] == "event"


def test_surrogates_big_numbers_and_long_values_are_written_all_the_same() -> None:
    line = json.loads(a_line("event", bad="\udcff", big=1 << 80, long="x" * 9_999, other=[1]))
    assert (line["bad"], line["big"], line["other"]) == ("\\udcff", str(1 << 80), "[1]")
    assert len(line["long"]) == MAX_FIELD + 1


@pytest.fixture
def _root() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("_root")
def test_a_line_whose_words_and_arguments_do_not_fit_is_told_and_the_next_is_written() -> None:
    sink = io.StringIO()
    with json_logging(sink=sink):
        logging.getLogger("a").warning("%d", "no number")
        logging.getLogger("a").warning("next")
    first, second = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert first["event"] == "a bad log line"
    assert "test_logs.py" in first["why"]
    assert second["event"] == "next"


@pytest.mark.usefixtures("_root")
def test_a_sink_that_is_gone_ends_nothing() -> None:
    sink = io.StringIO()
    sink.close()
    with json_logging(sink=sink):
        for _ in range(3):
            logging.getLogger("a").warning("event")
    assert lines_dropped() == 3


FLOOD = """
import logging, sys, time
from core.logs import json_logging, lines_dropped
began = time.monotonic()
with json_logging():
    for number in range(40_000):
        logging.getLogger("a").warning("event", extra={"number": number})
    print(lines_dropped(), time.monotonic() - began, flush=True)
"""


def test_a_process_whose_log_nobody_reads_works_on_drops_lines_and_ends() -> None:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, stderr=writing, text=True, env=dict(os.environ)
        )
        began = time.monotonic()
        told, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        dropped, seconds = told.split()
        assert int(dropped) >= 20_000
        assert time.monotonic() - began - float(seconds) < 30
    finally:
        os.close(reading)
        os.close(writing)


def test_within_the_block_the_process_logs_to_the_sink() -> None:
    sink, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with json_logging("WARNING", sink):
            logging.getLogger("a").info("not told")
            logging.getLogger("a").warning("told %s", "twice")
            try:
                raise ValueError("why")
            except ValueError:
                logging.getLogger("a").exception("failed")
    finally:
        root.handlers[:], root.level = handlers, level
    first, second = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert first["event"] == "told twice"
    assert "ValueError: why" in second["exception"]
