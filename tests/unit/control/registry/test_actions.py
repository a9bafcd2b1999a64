"""The table of actions, and what roles hold."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from control.registry.actions import ACTIONS, ROLES, Action, lacking, permissions_of, team_permissions_of


def test_every_action_has_one_row_and_is_named_resource_and_action() -> None:
    assert list(ACTIONS) == list(get_args(Action))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*:[a-z]+(-[a-z]+)*", action) for action in ACTIONS)


def test_an_admin_holds_everything() -> None:
    assert permissions_of("admin") == set(ACTIONS)
    assert team_permissions_of("admin") == {action for action, held in ACTIONS.items() if held.team}


@pytest.mark.parametrize("held_by", [permissions_of, team_permissions_of])
def test_each_role_holds_what_those_after_it_hold_and_more(held_by) -> None:
    held = [held_by(role) for role in ROLES]
    assert held[0] > held[1] > held[2]


def test_a_member_of_a_team_changes_nothing_of_it() -> None:
    assert {action.partition(":")[2] for action in team_permissions_of("member")} == {"read"}


@pytest.mark.parametrize("held_by", [permissions_of, team_permissions_of])
def test_a_role_that_this_version_does_not_know_holds_nothing(held_by) -> None:
    assert held_by("owner") == frozenset()


def test_only_admins_make_tokens_and_links_and_no_set_does() -> None:
    assert [action for action, held in ACTIONS.items() if held.reserved] == [
        "link:create",
        "token:create",
        "oauth_client:create",
        "oauth_client:update",
        "identity_provider:create",
        "identity_provider:update",
        "identity_provider:delete",
    ]
    assert not {"token:create", "link:create"} & permissions_of("editor")
    assert (ACTIONS["token:create"].team, ACTIONS["link:create"].team) == (None, None)


def test_who_lacks_an_action_is_told_its_name_and_what_it_is_for() -> None:
    assert (
        lacking("audit:read") == "This needs audit:read (read the audit trail), which you do not hold; ask an admin."
    )
