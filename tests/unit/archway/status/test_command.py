import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from archway.status.facts import Facts, ProcessFact


def facts(running):
    processes = [ProcessFact("control", 12, alive=False)]
    return Facts("/s", running, "http://p", "http://c", None, None, processes, trouble="it does not answer")


@pytest.fixture
def status(monkeypatch):
    monkeypatch.setattr("archway.status.facts.gather", lambda _: facts(running=True))
    return CliRunner().invoke(app, ["status"])


def test_a_program_that_died_a_moment_ago_is_on_its_way_back(status):
    assert "restarting" in status.output
    assert "dead" not in status.output


def test_what_does_not_run_just_now_ends_with_one(status):
    assert status.exit_code == 1
