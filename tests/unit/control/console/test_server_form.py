"""The part of an entry's form about a server that Archway runs becomes what the API takes, and back."""

from __future__ import annotations

import pytest

from control.console.form_rows import rows_of, with_rows
from control.console.forms import Form
from control.console.server_form import (
    PULLS,
    SECRETS,
    form_field,
    form_of_server,
    sealed_values,
    server_of_form,
    typed_command,
    without_empty_rows,
)
from control.registry.broken_rule import BrokenRule
from control.registry.self_hosted import Resources, SelfHosted
from control.registry.told import as_plain

SERVER = SelfHosted(
    transport="http", image="registry.example.com/team/server:1.2.3", port=9000, path="/", health_path="/health",
    command=("server", "--name", "two words", "${user_config.folder}", "it's"),
    environment={"LOG_LEVEL": "debug", "EMPTY": ""}, resources=Resources(memory_limit="1Gi", cpu_limit="2"),
    pull_secrets=("0198e000-0000-7000-8000-000000000001",), idle_minutes=30,
)  # fmt: skip


def with_secrets(*rows: dict[str, str]) -> Form:
    return with_rows(Form(form_of_server(SERVER)), SECRETS, rows)


def test_the_form_of_a_server_makes_the_same_server_again() -> None:
    told = as_plain(SERVER)
    assert told.pop("kind") == "self_hosted"
    assert told.pop("override") == ""  # has a page of its own, and stays where a form does not name it
    assert server_of_form(Form(form_of_server(SERVER))) == told


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("npx -y some-server@1.2.3", ["npx", "-y", "some-server@1.2.3"]),
        ("  uvx\n some-server ", ["uvx", "some-server"]),
        ("a 'b c' \"d\" e\\ f", ["a", "b c", "d", "e f"]),
        ("a ${user_config.x} $HOME `b` #c;d", ["a", "${user_config.x}", "$HOME", "`b`", "#c;d"]),
        ("", []),
    ],
)
def test_a_command_is_read_as_one_types_it_and_no_shell_has_a_say(typed: str, words: list[str]) -> None:
    form = Form({**form_of_server(SelfHosted()), "run.command": typed})
    assert server_of_form(form)["command"] == words
    assert server_of_form(Form({**form.given, "run.command": typed_command(words)}))["command"] == words


@pytest.mark.parametrize("typed", ["npx 'a", 'npx "a', "npx \\"])
def test_a_quotation_mark_without_its_second_is_told_at_the_command(typed: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        server_of_form(Form({**form_of_server(SelfHosted()), "run.command": typed}))
    assert refused.value.field == "run.command"


def test_what_is_no_port_is_left_for_the_api_to_refuse() -> None:
    assert server_of_form(Form({**form_of_server(SERVER), "run.port": "eighty"}))["port"] == "eighty"


@pytest.mark.parametrize(("typed", "minutes"), [("", 0), ("0", 0), ("45", 45), ("long", "long")])
def test_left_empty_a_server_is_never_ended_for_want_of_calls(typed: str, minutes: object) -> None:
    assert server_of_form(Form({**form_of_server(SERVER), "run.idle_minutes": typed}))["idle_minutes"] == minutes


def test_what_stands_in_the_tab_of_the_other_transport_is_left_alone() -> None:
    typed = Form({**form_of_server(SERVER), "run.transport": "stdio", "run.port": "eighty"})
    told = server_of_form(typed)
    assert (told["port"], told["path"], told["health_path"]) == (8080, "/mcp", "")


def test_secrets_that_are_kept_stay_and_so_do_their_files_until_others_are_typed() -> None:
    form = with_secrets()
    assert sealed_values(form) is None
    assert server_of_form(form, ("key.pem",))["mounted"] == ["key.pem"]
    typed = with_secrets({"name": "TOKEN", "value": "t"}, {"name": "ca.pem", "value": "c", "file": "true"})
    assert sealed_values(typed) == {"TOKEN": "t", "ca.pem": "c"}
    assert server_of_form(typed, ("key.pem",))["mounted"] == ["ca.pem"]
    gone = Form({**form.given, f"{SECRETS}_none": "true"})
    assert (sealed_values(gone), server_of_form(gone, ("key.pem",))["mounted"]) == ({}, [])


def test_rows_in_which_nothing_was_typed_are_none() -> None:
    form = with_secrets({"name": "", "value": "", "file": "true"}, {"name": "A", "value": ""})
    assert [row["name"] for row in rows_of(without_empty_rows(form), SECRETS)] == ["A"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("run.image", "run.image"),
        ("run.command[3]", "run.command"),
        ("run.environment.LOG_LEVEL", "run.environment"),
        ("run.resources.memory", "run.resources.memory"),
        ("run.pull_secrets[0]", "run.pull_secrets"),
        ("run_secrets.TOKEN", "run_secrets[1].value"),
        ("run_secrets[1]", "run_secrets[1].name"),
        ("run_secrets", "run_secrets[0].name"),
        ("name", "name"),
    ],
)
def test_what_the_api_says_of_a_part_stands_at_its_field(path: str, name: str) -> None:
    form = with_secrets({"name": "A", "value": "a"}, {"name": "TOKEN", "value": "t"})
    assert form_field(form, path) == name


def test_a_pull_secret_is_a_box_to_tick() -> None:
    assert form_of_server(SERVER)[f"{PULLS}{SERVER.pull_secrets[0]}"] == "true"
    unticked = Form({**form_of_server(SERVER), f"{PULLS}{SERVER.pull_secrets[0]}": ""})
    assert server_of_form(unticked)["pull_secrets"] == []
