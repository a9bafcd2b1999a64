"""What comes from outside cannot forge, break or flood the log (row X-2)."""

import io
import json
import logging
from collections.abc import Callable

import pytest

from core.logs import MAX_FIELD, json_logging

CRLF = 'x\r\n{"level":"error","event":"forged"}\n\x0b\x0c\x1c\x85\u2028\u2029y'
ANSI = "\x1b[2J\x1b]0;title\x07\x9b31mred\x7f\u202egnol"
LONG = "ä" * (1 << 20)
SURROGATES = "\udcff\ud800 adm\udc80in"

INPUTS = [
    pytest.param(CRLF, id="X-2: CR/LF"),
    pytest.param(ANSI, id="X-2: ANSI"),
    pytest.param(LONG, id="X-2: 1 MiB"),
    pytest.param(SURROGATES, id="X-2: surrogates"),
]


class Evil(Exception):
    """Its text is the input."""


PLACES: dict[str, Callable[[logging.Logger, str], None]] = {
    "field": lambda log, text: log.warning("an event", extra={"field": text}),
    "event": lambda log, text: log.warning(text),
    "argument": lambda log, text: log.warning("an event of %s", text),
    "object": lambda log, text: log.warning("an event", extra={"field": {text: [text]}}),
    "bytes": lambda log, text: log.warning("an event", extra={"field": text.encode("utf-8", "surrogatepass")}),
    "logger": lambda _, text: logging.getLogger(f"test.{text[:100]}").warning("an event"),
    "exception": lambda log, text: log.error("an event", exc_info=Evil(text)),
}


@pytest.mark.parametrize("text", INPUTS)
@pytest.mark.parametrize("place", PLACES)
def test_an_event_is_one_line_of_json_whatever_is_in_it(place: str, text: str) -> None:
    sink = io.StringIO()
    with json_logging(sink=sink):
        PLACES[place](logging.getLogger("test"), text)
        logging.getLogger("test").warning("the next event")

    written = sink.getvalue()
    first, second, rest = written.split("\n")
    assert rest == ""
    assert written.splitlines() == [first, second]
    assert all(character.isprintable() for character in first)
    assert json.loads(second)["event"] == "the next event"
    line = json.loads(first)
    assert line["level"] in {"warning", "error"}
    assert max(len(str(value).encode()) for key, value in line.items() if key != "exception") <= MAX_FIELD + 3
    assert len(first.encode()) < 64 << 10
