"""Users, as the registry keeps them."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from control.registry.user import User, told_of_user

NOW = datetime.now(UTC)
ANN = User(
    id="u1", name="Ann", email="ann@example.com", role="admin", disabled_at=None, created_at=NOW, updated_at=NOW,
    version=1,
)  # fmt: skip


def test_people_are_told_every_field_of_a_user() -> None:
    assert set(told_of_user(ANN)) == {one.name for one in fields(User)}
    assert told_of_user(ANN)["email"] == "ann@example.com"


@pytest.mark.parametrize(
    ("user", "is_one"),
    [(ANN, True), (replace(ANN, role="member"), False), (replace(ANN, disabled_at=NOW), False)],
)
def test_an_active_admin_is_one_who_is_not_shut_out(user: User, is_one: bool) -> None:
    assert user.is_active_admin is is_one
