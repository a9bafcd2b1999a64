"""How fields at fault are named. Bodies on the wire: tests/control/test_admin_surface.py."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from control.http.reading import field_path, sentence


@pytest.mark.parametrize(
    ("location", "given", "path"),
    [
        pytest.param(("name",), {"name": 1}, "name", id="a field"),
        pytest.param(("name",), {}, "name", id="a missing field"),
        pytest.param(("fields", 0, "name"), {"fields": [{"name": 1}]}, "fields[0].name", id="within a list"),
        pytest.param(("placement", "header", "name"), {"placement": {}}, "placement.name", id="within a union"),
        pytest.param(("limit", "int"), {"limit": 1}, "limit", id="an alternative of a type"),
        pytest.param((), None, "body", id="the body itself"),
    ],
)
def test_a_field_is_named_by_the_path_that_a_person_would_write(
    location: tuple[str | int, ...], given: object, path: str
) -> None:
    assert field_path(location, given) == path


def test_the_name_of_an_unknown_field_is_cut_and_made_visible() -> None:
    name = "\x1b[31m" + "x" * 200
    path = field_path((name,), {name: 1})
    assert len(path) < 70
    assert path.isprintable()


class Wanted(BaseModel):
    """A query and a body in one."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    wait: float = 0
    cascade: bool = False
    scope: Literal["personal", "team"] = "team"
    name: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    teams: Annotated[list[str], Field(max_length=1)] = []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "x"}, "must be a whole number"),
        ({"limit": ""}, "must be a whole number"),
        ({"limit": "1.5"}, "must be a whole number"),
        ({"limit": 1.5}, "must be a whole number"),
        ({"limit": "9" * 5000}, "must be a whole number, and not as large"),
        ({"limit": "0"}, "must be at least 1"),
        ({"limit": "201"}, "must be at most 200"),
        ({"wait": "soon"}, "must be a number"),
        ({"cascade": "maybe"}, "must be true or false"),
        ({"scope": "mine"}, "must be 'personal' or 'team'"),
        ({"name": ""}, "must have at least 1 character"),
        ({"name": "abcd"}, "must have at most 3 characters"),
        ({"name": 5}, "must be text"),
        ({"teams": "a"}, "must be a list"),
        ({"teams": ["a", "b"]}, "must have at most 1 item"),
        ({"other": 1}, "is not a known field"),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_is_told_what_would(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Wanted.model_validate(given)
    assert [sentence(one) for one in refused.value.errors(include_input=False)] == [said]
