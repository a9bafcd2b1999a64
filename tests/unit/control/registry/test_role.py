"""What can be in a role that admins make."""

from __future__ import annotations

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.role import check_name, check_permissions, not_for_a_team


def test_permissions_are_kept_once_each_in_the_order_of_their_table() -> None:
    assert check_permissions(["gateway:read", "entry:create", "gateway:read"]) == ("entry:create", "gateway:read")


@pytest.mark.parametrize("name", ["admin", "Editor", "MEMBER"])
def test_no_role_is_called_as_one_that_everybody_knows(name: str) -> None:
    with pytest.raises(BrokenRule) as broken:
        check_name(name)
    assert broken.value.field == "name"


def test_what_admins_alone_hold_is_in_no_role() -> None:
    with pytest.raises(BrokenRule, match="held by admins alone") as broken:
        check_permissions(["entry:read", "token:create"])
    assert broken.value.field == "permissions[1]"


def test_what_cannot_be_held_for_a_team_is_named() -> None:
    assert not_for_a_team(["record:read", "audit:read", "user:update"]) == ["user:update", "audit:read"]
    assert not_for_a_team(["record:read"]) == []
