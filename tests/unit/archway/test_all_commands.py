"""Every command, as its help shows it."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from core.our_version import VERSION
from tests.all_commands_once import commands


def every_command():
    found = []

    def walk(command, words):
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append(words)
            return
        for name, one in inner.items():
            walk(one, (*words, name))

    walk(commands(), ())
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_says_what_it_does(words, capsys):
    with pytest.raises(SystemExit) as ended:
        commands().main([*words, "--help"], prog_name="archway")

    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "Usage" in said
    assert "float" not in said  # people give numbers


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


def command_of(words):
    here = commands()
    for word in words:
        here = here.commands[word]
    return here


def examples_of(words):
    """The lines of a command's help that show it, without what stands around the command itself."""
    lines = [line.strip() for line in (command_of(words).help or "").splitlines()]
    shown = [line[line.index("archway ") :] for line in lines if re.match(r"([A-Z_]+=\S+ )*archway ", line)]
    return [re.split(r"\s{2,}| \| | > ", line)[0] for line in shown]


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_an_example_of_itself(words):
    assert any(f"{line} ".startswith(f"archway {' '.join(words)} ") for line in examples_of(words))


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_example_is_taken_as_it_stands(words):
    for line in examples_of(words):
        typed, here = shlex.split(line)[1:], commands()
        while getattr(here, "commands", None) and typed and typed[0] in here.commands:
            here = here.commands[typed.pop(0)]
        here.make_context(line, typed)  # raises a usage error for an option or an argument that there is not


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_option_and_every_argument_says_what_it_is(words):
    shown = [one for one in command_of(words).params if not getattr(one, "hidden", False)]
    assert not [one.name for one in shown if not getattr(one, "help", None)]
