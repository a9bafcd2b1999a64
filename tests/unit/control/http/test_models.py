"""Field types of the admin API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from control.http.models import Change, Description, Email, Id, Item, Model, Moment, Name

TYPES = {"Id": Id, "Name": Name, "Description": Description, "Email": Email, "Moment": Moment}


class Row(Model):
    number: int = 0


class Part(Model):
    style: str = "plain"


class RowFields(Model):
    name: Name
    note: Description = Field("", description="What it is for.")
    labels: dict[str, str] = Field(default_factory=dict)
    part: Part | None = None


class NewRow(RowFields):
    """A row to make."""


class RowChange(RowFields, Change):
    """What is named changes."""


class ShownRow(RowFields, Item):
    """A row."""

    version: int


def accepts(kind: str, value: object) -> bool:
    try:
        TypeAdapter(TYPES[kind]).validate_python(value)
    except ValidationError:
        return False
    return True


AN_ID = "01a1fc0e-f51c-7acb-8100-1a6964f3ad04"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Id", AN_ID), ("Name", "A"), ("Name", "Ann von Ümläut"), ("Description", ""), ("Description", "a\nb"),
        ("Email", "ann@example.com"), ("Moment", "2030-01-31T12:00:00Z"), ("Moment", "2030-01-31t12:00:00.5+02:00"),
    ],
)  # fmt: skip
def test_good_values_are_taken(kind: str, value: str) -> None:
    assert accepts(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Id", AN_ID.upper()), ("Id", "1"), ("Id", AN_ID + "\n"), ("Name", ""), ("Name", " A"), ("Name", "A "),
        ("Name", "a\nb"), ("Name", "a\x00b"), ("Name", "a\u202eb"), ("Name", "x" * 129), ("Description", "a\x1b[2Jb"),
        ("Email", "ann"), ("Email", "a@b@c"), ("Email", "a b@c"), ("Moment", 5), ("Moment", "5"),
        ("Moment", "2030-01-31"), ("Moment", "2030-01-31T12:00:00"), ("Moment", "2030-02-31T12:00:00Z"),
        ("Moment", "0001-01-01T00:00:00+14:00"),
    ],
)  # fmt: skip
def test_bad_values_are_refused(kind: str, value: object) -> None:
    assert not accepts(kind, value)


def test_a_time_is_written_in_utc() -> None:
    adapter = TypeAdapter(Moment)
    assert adapter.dump_json(datetime(2030, 1, 31, 12, tzinfo=UTC)) == b'"2030-01-31T12:00:00.000Z"'


@pytest.mark.parametrize("body", ['{"number": "1"}', '{"number": 1.5}', '{"number": true}', '{"other": 1}'])
def test_a_body_is_not_converted_and_has_no_other_fields(body: str) -> None:
    with pytest.raises(ValidationError):
        Row.model_validate_json(body)


def test_a_change_tells_nobody_its_defaults() -> None:
    told = RowChange.model_json_schema()
    assert not [name for name, one in told["properties"].items() if "default" in one]
    assert "required" not in told
    assert told["properties"]["note"]["description"] == "What it is for."


def test_a_change_names_what_changes_and_each_of_that_whole() -> None:
    assert RowChange.model_validate_json("{}").changes() == {}
    assert RowChange.model_validate_json('{"part": {}, "note": ""}').changes() == {
        "part": {"style": "plain"}, "note": "",
    }  # fmt: skip


def test_null_is_a_change_where_it_means_something_and_refused_elsewhere() -> None:
    assert RowChange.model_validate_json('{"part": null}').changes() == {"part": None}
    with pytest.raises(ValidationError):
        RowChange.model_validate_json('{"name": null}')


def test_the_rules_of_a_field_hold_in_a_change_too() -> None:
    with pytest.raises(ValidationError):
        RowChange.model_validate_json('{"name": " "}')


def test_what_changes_and_what_is_shown_leave_the_body_that_creates_as_it_is() -> None:
    assert NewRow.model_validate_json('{"name": "A"}').model_dump() == {
        "name": "A", "note": "", "labels": {}, "part": None,
    }  # fmt: skip
    with pytest.raises(ValidationError, match="Field required"):
        NewRow.model_validate_json("{}")


def test_an_answer_has_every_field_with_its_identifier_first_and_no_default() -> None:
    told = ShownRow.model_json_schema(mode="serialization")
    assert told["required"] == list(told["properties"]) == ["id", "name", "note", "labels", "part", "version"]
    assert not [name for name, one in told["properties"].items() if "default" in one]
