from __future__ import annotations

import pytest

from control.providers.claim import claim


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("plain", 1),
        ("https://corp.test/roles", 2),
        ("a.b.c", 3),
        ("a.x", None),
        ("a.b.c.d", None),
        ("", None),
        ("gone", None),
    ],
)
def test_a_claim_is_found_by_its_whole_name_or_as_a_path(name: str, found: int | None) -> None:
    claims = {"plain": 1, "https://corp.test/roles": 2, "a": {"b": {"c": 3}}}
    assert claim(claims, name) == found
