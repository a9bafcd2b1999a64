"""Field types of the admin API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from control.http.models import Change, Description, Email, Id, Model, Moment, Name

TYPES = {"Id": Id, "Name": Name, "Description": Description, "Email": Email, "Moment": Moment}


class Row(Model):
    number: int = 0


class RowChange(Change):
    name: Name = ""


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
    assert "default" not in RowChange.model_json_schema()["properties"]["name"]
    assert RowChange().model_dump(exclude_unset=True) == {}
