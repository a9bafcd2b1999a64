"""How fields at fault are named. Bodies on the wire: tests/control/test_admin_surface.py."""

from __future__ import annotations

import pytest

from control.http.reading import field_path


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
