from __future__ import annotations

import io
import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from core.logs import MAX_FIELD, JsonLines, json_logging


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
