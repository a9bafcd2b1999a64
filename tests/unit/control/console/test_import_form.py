from dataclasses import replace
from typing import Any

import orjson
import pytest

from control.console.forms import Form
from control.console.import_form import bodies, field_of, left_out, read_file, rows, without_file
from control.registry.broken_rule import BrokenRule

URL = "https://mcp.example.com/mcp"
CANARY = "sk_live_51Hx9CANARY0123456789"
FILE: dict[str, Any] = {
    "mcpServers": {
        "CRM": {"url": URL, "headers": {"X-Key": CANARY, "X-Region": "eu"}},
        "Files": {"command": "npx", "args": ["-y", CANARY]},
        "Clock": {"url": "https://clock.example.com/mcp"},
    }
}
HEADERS = [f"X-{'a' * 60}-{number}" for number in range(20)]


def pasted(config: Any) -> Form:
    return Form({"config": orjson.dumps(config).decode()})


def test_servers_become_rows_that_are_ticked_and_the_rest_is_left_out_with_its_reason() -> None:
    form = read_file(pasted(FILE), ())
    crm, clock = rows(form)
    assert (crm.called, crm.kind, crm.asks) == ("CRM", "None", ("X-Key (secret)", "X-Region (usually eu)"))
    assert (clock.path, form.flag("servers[1].add")) == ("servers[1].", True)
    assert [one["name"] for one in left_out(form)] == ["Files"]


def test_no_key_of_the_file_is_in_the_form_that_comes_back() -> None:
    assert CANARY not in str(read_file(pasted(FILE), ()))
    assert without_file(pasted(FILE)).value("config") == ""


def test_a_command_is_shown_as_one_types_it_and_no_url_is_asked_for() -> None:
    server = {"command": "npx", "args": ["-y", "files", "a folder"], "env": {"KEY": CANARY}}
    form = read_file(pasted({"mcpServers": {"Files": server}}), ())
    (one,) = rows(form)
    assert (one.command, one.asks) == ("npx -y files 'a folder'", ("KEY (secret)",))
    ((_, body),) = bodies(form)
    assert (body["kind"], body["run"]["command"], "url" in body) == (
        "self_hosted", ["npx", "-y", "files", "a folder"], False,
    )  # fmt: skip
    assert CANARY not in str(form)


def test_a_ticked_row_is_an_entry_with_the_names_that_the_person_gave() -> None:
    form = read_file(pasted(FILE), ())
    changed = {**form.given, "servers[0].name": "Our CRM", "servers[0].slug": "our-crm", "servers[1].add": ""}
    ((number, body),) = bodies(replace(form, given=changed))
    assert (number, body["name"], body["slug"], body["url"]) == (0, "Our CRM", "our-crm", URL)
    assert [one["type"] for one in body["fields"]] == ["secret", "string"]


@pytest.mark.parametrize("sent", ["", "[]", "{", "7", '{"name": "\\u0000"}', '{"fields": 7}', '{"fields": [7]}'])
def test_what_is_no_entry_when_it_comes_back_is_left_to_the_rules_for_entries(sent: str) -> None:
    form = Form({"servers[0].add": "true", "servers[0].name": "X", "servers[0].entry": sent})
    ((_, body),) = bodies(form)
    assert body["name"] == "X"
    assert rows(form)[0].asks == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is needed"),
        ('{\n  "mcpServers": {,\n}', "line 2, column 18"),
        ("[]", "must be an object"),
        ("{}", "has no servers"),
        ("[" * 5_000, "is not JSON"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_of_its_field(text: str, sentence: str) -> None:
    with pytest.raises(BrokenRule, match=sentence) as refused:
        read_file(Form({"config": text}), ())
    assert refused.value.field == "config"


@pytest.mark.parametrize(
    "servers",
    [
        {str(number): {"url": URL} for number in range(61)},
        {
            str(number): {"url": URL, "headers": {f"X-{'a' * 60}-{n}": "k!" for n in range(20)}}
            for number in range(30)
        },
    ],
    ids=["many", "large"],
)
def test_more_than_one_form_holds_is_for_the_command(servers: dict[str, Any]) -> None:
    with pytest.raises(BrokenRule, match="archway entries import"):
        read_file(pasted({"mcpServers": servers}), ())


def test_what_is_refused_stands_at_its_row_and_what_has_no_field_names_the_server() -> None:
    form = read_file(pasted(FILE), ())
    assert field_of(form, 1, "slug") == "servers[1].slug"
    assert field_of(form, 0, "fields[0].header") == "CRM: fields[0].header"
    assert field_of(replace(form, given={**form.given, "team_id": ""}), 0, "team_id") == "team_id"
