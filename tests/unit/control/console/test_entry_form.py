"""The form of an entry becomes what the API takes, and an entry becomes its form."""

from __future__ import annotations

from control.admin.entry_models import EntryCreate, EntryPatch
from control.console.entry_form import form_field, form_of_entry, made_of, new_entry_form, tidied
from control.console.form_rows import rows_of, with_rows
from control.console.forms import Form, typed
from control.registry.entry import entry_fields
from control.registry.fields import Field
from control.registry.partial import entry_with
from tests.fakes.registry import BEARER, an_entry

TEAM = "0198e000-0000-7000-8000-000000000001"


def test_a_form_with_what_must_be_typed_is_an_entry_that_everybody_sees() -> None:
    form = typed({**new_entry_form().given, "name": "Time", "slug": "time", "url": "https://time.example/mcp"})
    wanted = form.read(EntryCreate, **made_of(form, new=True))
    assert (wanted.visibility, wanted.credential_model, wanted.passthrough) == ("organisation", "none", True)
    assert (wanted.deadline_s, wanted.fixed_headers, wanted.fields, wanted.team_id) == (0, {}, [], None)


def test_the_form_of_an_entry_makes_the_same_entry_again() -> None:
    before = an_entry(
        credential=BEARER, labels={"team": "sales", "empty": ""}, visibility="teams", teams=(TEAM,), deadline_s=2.5,
        fixed_header_names=("x-fixed",), passthrough=False,
        fields=(
            Field("count", "number", "x-count", default=3.5),
            Field("fast", "boolean", "x-fast", default=False, required=False),
            Field("region", "select", "x-region", title="Region", options=("eu", "us"), default="eu"),
        ),
    )  # fmt: skip
    form = form_of_entry(before)
    given = form.read(EntryPatch, **made_of(form, new=False)).changes()
    assert "fixed_headers" not in given
    after = entry_with(before, given)
    assert entry_fields(after) == entry_fields(before)


def test_the_values_of_fixed_headers_are_in_no_form() -> None:
    form = form_of_entry(an_entry(fixed_headers=b"sealed", fixed_header_names=("x-fixed",)))
    assert rows_of(form, "fixed_headers") == []


def test_fixed_headers_that_are_stored_stay_until_others_are_typed_or_all_are_removed() -> None:
    form = form_of_entry(an_entry(fixed_header_names=("x-fixed",)))
    assert "fixed_headers" not in made_of(form, new=False)
    assert made_of(typed({**form.given, "fixed_headers_none": "true"}), new=False)["fixed_headers"] == {}
    other = with_rows(form, "fixed_headers", [{"name": "X-Other", "value": "v"}])
    assert made_of(other, new=False)["fixed_headers"] == {"X-Other": "v"}


def test_rows_in_which_nothing_was_typed_are_none() -> None:
    form = tidied(
        Form(
            {
                "fields[0].name": "", "fields[0].type": "string", "fields[0].required": "true",
                "fields[1].name": "a", "fields[1].type": "string",
                "fixed_headers[0].name": "", "fixed_headers[0].value": "",
                "fixed_headers[3].name": "", "fixed_headers[3].value": "v",
            }
        )
    )  # fmt: skip
    assert [row["name"] for row in rows_of(form, "fields")] == ["a"]
    assert rows_of(form, "fixed_headers") == [{"name": "", "value": "v"}]


def test_teams_that_are_ticked_count_only_where_teams_see_it() -> None:
    ticked = {**new_entry_form().given, f"teams.{TEAM}": "true", "teams.other": ""}
    assert made_of(Form({**ticked, "visibility": "teams"}), new=True)["teams"] == [TEAM]
    assert made_of(Form(ticked), new=True)["teams"] == []


def test_what_is_no_number_goes_to_the_api_as_it_is() -> None:
    made = made_of(Form({**new_entry_form().given, "deadline_s": "soon"}), new=True)
    assert made["deadline_s"] == "soon"


def test_a_path_of_the_api_is_found_at_its_field() -> None:
    headers = [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "2"}]
    form = with_rows(new_entry_form(), "fixed_headers", headers)
    form = Form({**form.given, "credential_model": "static"})
    for path, field in {
        "fixed_headers.x-b": "fixed_headers[1].value",
        "fixed_headers[1]": "fixed_headers[1].name",
        "fixed_headers": "fixed_headers[0].name",
        "fixed_headers[9]": "fixed_headers[9]",
        "fields[0].options[3]": "fields[0].options",
        "fields[0].name": "fields[0].name",
        "credential_placement.header": "static-header",
        "slug": "slug",
    }.items():
        assert form_field(form, path) == field


def test_the_secret_of_a_client_is_the_one_of_the_chosen_kind() -> None:
    secrets = {"client_secret": "of a sign-in", "id_jag-client_secret": "of an assertion"}
    for kind, secret in (("oauth", "of a sign-in"), ("id_jag", "of an assertion"), ("none", "")):
        form = tidied(typed({**new_entry_form().given, **secrets, "credential_model": kind}))
        assert form.value("client_secret") == secret
        assert "client_secret" not in made_of(form, new=True)
    taken = typed({**new_entry_form().given, "credential_model": "id_jag", "id_jag-client_secret_none": "true"})
    assert made_of(taken, new=False)["client_secret"] == ""
    assert form_field(taken, "client_secret") == "id_jag-client_secret"
