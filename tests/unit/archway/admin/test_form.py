"""The options --output and --json of every command that shows something."""

import json

import pytest
import typer
import yaml
from typer.testing import CliRunner

from archway.admin.form import Form, form_of, with_form
from archway.admin.show import show_list, show_one
from archway.all_commands import app
from tests.all_commands_once import commands

ONE = {"id": "1", "name": "Élan", "url": "https://h/", "labels": {}, "note": None, "teams": ["a"], "entry_id": "9"}


@pytest.mark.parametrize(
    ("output", "as_json", "form"),
    [
        (None, False, Form.TABLE),
        (None, True, Form.JSON),
        (Form.JSON, True, Form.JSON),
        (Form.YAML, False, Form.YAML),
        (Form.WIDE, False, Form.WIDE),
    ],
)
def test_json_is_a_short_way_to_say_output_json(output, as_json, form):
    assert form_of(output, as_json) is form


@pytest.mark.parametrize("output", [Form.YAML, Form.WIDE, Form.TABLE])
def test_two_forms_at_once_are_refused(output):
    with pytest.raises(typer.BadParameter, match="one of the two"):
        form_of(output, as_json=True)


@pytest.mark.parametrize("form", [Form.JSON, Form.YAML])
def test_programs_get_the_whole_object_as_the_api_gave_it(form, capsys):
    show_one(ONE, form, ("name",))
    assert yaml.safe_load(capsys.readouterr().out) == ONE  # JSON is YAML too
    show_list([ONE, ONE], ("name",), form)
    assert yaml.safe_load(capsys.readouterr().out) == [ONE, ONE]


@pytest.mark.parametrize(
    "text", ["on", "1e3", "a: b", "- x", "2026-11-28", "null", "", " x ", "a\nb", "\x1b[2J", "\u202e"]
)
def test_yaml_gives_every_text_back_and_moves_no_cursor(text, capsys):
    show_one({"text": text, "é": text}, Form.YAML)
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed) == {"text": text, "é": text}
    assert all(char.isprintable() or char == "\n" for char in printed)


def test_a_wide_table_has_every_field_that_fits_into_one_cell_and_cuts_nothing(capsys):
    quota = {"quota": {"servers": 20, "cpu": "2"}, "tolerations": [{"key": "gpu"}]}
    show_list([{**ONE, **quota, "url": "https://" + "x" * 200}], ("name", "id"), Form.WIDE)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "url", "labels", "note", "teams", "quota", "id", "entry_id"]
    assert "x" * 200 in row
    assert "servers=20, cpu=2" in row


def test_a_person_reads_names_first_identifiers_last_and_nothing_that_is_empty(capsys):
    show_one({**ONE, "slug": "elan"}, Form.TABLE, ("slug", "name", "id"))
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "slug", "name", "url", "teams", "id", "entry_id",
    ]  # fmt: skip


def test_wide_shows_what_is_empty_too(capsys):
    show_one(ONE, Form.WIDE)
    assert {"labels", "note"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}


@pytest.mark.parametrize("falsy", [0, False])
def test_a_number_or_a_truth_value_is_never_empty(falsy, capsys):
    show_one({"tools": falsy}, Form.TABLE)
    assert capsys.readouterr().out.split() == ["tools", "0" if falsy is not False else "no"]


def test_a_command_that_is_written_out_takes_the_two_options():
    one = typer.Typer()

    @one.command()
    @with_form
    def show(form: Form = Form.TABLE) -> None:
        """Show it."""
        show_one({"a": 1}, form)

    assert json.loads(CliRunner().invoke(one, ["-o", "json"]).output) == {"a": 1}
    assert CliRunner().invoke(one, ["-o", "yaml"]).output == "a: 1\n"
    assert "Show it." in CliRunner().invoke(one, ["--help"]).output


LISTS_AND_SHOWS = [
    (group, name)
    for group, command in commands().commands.items()
    for name in getattr(command, "commands", {})
    if name in {"list", "show", "members", "tools"}
]


@pytest.mark.parametrize("words", LISTS_AND_SHOWS, ids=" ".join)
def test_every_list_and_every_show_takes_them(words):
    group, name = words
    options = {one for option in commands().commands[group].commands[name].params for one in option.opts}
    assert {"--output", "-o", "--json"} <= options


def test_a_form_that_there_is_not_names_those_that_there_are():
    done = CliRunner().invoke(app, ["users", "list", "-o", "xml"])
    assert done.exit_code == 2
    assert all(word in done.output for word in ("table", "wide", "json", "yaml"))
