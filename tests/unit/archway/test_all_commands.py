"""Every command, as its help shows it."""

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from archway.all_commands import app
from core.our_version import VERSION


def every_command():
    found = []

    def walk(command, words):
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append(words)
            return
        for name, one in inner.items():
            walk(one, (*words, name))

    walk(get_command(app), ())
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_says_what_it_does(words):
    done = CliRunner().invoke(app, [*words, "--help"])

    assert done.exit_code == 0
    assert "Usage" in done.output


@pytest.mark.parametrize(
    "words", [("up",), ("down",), ("status",), ("doctor",), ("keys", "new"), ("tokens", "create")], ids=" ".join
)
def test_help_shows_an_example_that_begins_with_the_command(words):
    assert f"archway {' '.join(words)}" in CliRunner().invoke(app, [*words, "--help"]).output


def test_a_command_without_a_deployment_says_how_to_get_one(tmp_path):
    done = CliRunner().invoke(app, ["users", "list", "--state", str(tmp_path / "none")])

    assert done.exit_code == 1
    assert "archway up" in done.output


def test_down_where_nothing_ever_ran_is_no_error(tmp_path):
    done = CliRunner().invoke(app, ["down", "--state", str(tmp_path / "none")])

    assert done.exit_code == 0
    assert "nothing to stop" in done.output


def test_status_where_nothing_runs_ends_with_one_and_says_how_to_start(tmp_path):
    done = CliRunner().invoke(app, ["status", "--state", str(tmp_path / "none")])

    assert done.exit_code == 1
    assert "archway up --state" in done.output


def test_records_are_listed_by_the_name_of_their_gateway(monkeypatch):
    asked = []

    class Api:
        def pages(self, path, **query):
            asked.append((path, query))
            return [{"id": "a gateway's id", "slug": "demo"}] if path == "/gateways" else []

    monkeypatch.setattr("archway.admin.commands.connect", lambda _: Api())
    assert CliRunner().invoke(app, ["records", "list", "--gateway", "demo"]).exit_code == 0
    assert asked[-1] == ("/records", {"gateway": "a gateway's id"})


def test_it_says_which_version_it_is():
    done = CliRunner().invoke(app, ["--version"])

    assert done.exit_code == 0
    assert done.output == f"archway {VERSION}\n"
