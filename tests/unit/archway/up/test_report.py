import json
import os

import pytest

from archway.up.detach import _relay
from archway.up.report import PipeReport, SteadyReport, step


class Heard:
    def __init__(self):
        self.words = []

    def begin(self, title):
        self.words.append(("begin", title))

    def gave_up(self, title):
        self.words.append(("gave up", title))

    def done(self, title, seconds):
        self.words.append(("done", title))

    def note(self, text):
        self.words.append(("note", text))

    def say(self, text):
        self.words.append(("say", text))

    def close(self):
        self.words.append(("close",))


def relayed(tell):
    ear, mouth = os.pipe()
    tell(PipeReport(mouth))
    heard = Heard()
    with os.fdopen(ear) as lines:
        return _relay(lines, heard), heard.words


def test_progress_reaches_the_caller_of_detach_as_it_was_told():
    def tell(report):
        report.note("a setting is ignored")
        with step(report, "PostgreSQL"):
            pass
        report.say("Archway runs.")
        report.ready()

    told = [
        ("note", "a setting is ignored"),
        ("begin", "PostgreSQL"),
        ("done", "PostgreSQL"),
        ("say", "Archway runs."),
    ]
    assert relayed(tell) == (None, told)


def test_a_start_that_failed_says_why():
    def tell(report):
        report.failed("--proxy-port 1 is in use")
        report.close()

    assert relayed(tell)[0] == "--proxy-port 1 is in use"


def test_a_start_that_was_killed_is_not_taken_for_ready():
    assert "ended without a word" in relayed(lambda report: report.close())[0]


def test_a_step_that_fails_ends_its_spinner():
    def tell(report):
        with pytest.raises(KeyboardInterrupt), step(report, "Proxy"):
            raise KeyboardInterrupt
        report.close()

    assert relayed(tell)[1] == [("begin", "Proxy"), ("gave up", "Proxy")]


def test_a_caller_who_left_does_not_stop_the_start():
    ear, mouth = os.pipe()
    os.close(ear)
    report = PipeReport(mouth)

    report.begin("PostgreSQL")
    report.ready()


def test_every_line_is_json():
    ear, mouth = os.pipe()
    PipeReport(mouth).say("two\nlines")
    os.close(mouth)
    with os.fdopen(ear) as lines:
        assert [json.loads(line) for line in lines] == [["say", "two\nlines"]]


class Gone:
    """A report whose reader is away."""

    def __init__(self, error):
        self.error = error

    def __getattr__(self, _):
        def refuse(*_):
            raise self.error

        return refuse


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(28, "No space left on device"), OSError(5, "Input/output error")]
)
def test_what_nobody_can_be_told_stops_no_step(error):
    report, done = SteadyReport(Gone(error)), []
    with step(report, "Stopped"):
        done.append(True)
    with pytest.raises(KeyError), step(report, "Broken"):
        raise KeyError
    report.note("x")
    report.say("x")
    report.close()
    assert done


def test_what_can_be_told_is_told():
    heard = Heard()
    report = SteadyReport(heard)
    with step(report, "One"):
        report.note("two")
    report.say("three")
    report.close()
    assert [word[0] for word in heard.words] == ["begin", "note", "done", "say", "close"]
