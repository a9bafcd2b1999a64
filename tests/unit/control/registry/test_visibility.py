import pytest

from control.registry.access import Caller, GivenSet
from control.registry.broken_rule import BrokenRule
from control.registry.visibility import VisibilityKind, check_visibility, sees

ANNA = Caller("anna", "Anna", "member", {"blue": "member"})
ADMIN = Caller("", "run", "admin")


@pytest.mark.parametrize(
    ("kind", "teams", "owner", "field"),
    [
        ("teams", [], None, "teams"),
        ("organisation", ["blue"], None, "teams"),
        ("personal", [], None, "owner_id"),
        ("organisation", [], "anna", "owner_id"),
        ("teams", [str(n) for n in range(201)], None, "teams"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    kind: VisibilityKind, teams: list[str], owner: str | None, field: str
) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_visibility(kind, teams, owner)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("kind", "teams", "owner", "seen"),
    [
        ("organisation", [], None, True),
        ("teams", ["blue", "red"], None, True),
        ("teams", ["red"], None, False),
        ("personal", [], "anna", True),
        ("personal", [], "ben", False),
    ],
)
def test_a_member_sees_what_is_shown_to_her(
    kind: VisibilityKind, teams: list[str], owner: str | None, seen: bool
) -> None:
    assert sees(ANNA, "gateway:read", kind, teams, owner) is seen


def test_an_admin_sees_every_row() -> None:
    assert sees(ADMIN, "gateway:read", "personal", [], "anna")


def test_who_holds_the_action_sees_every_row_of_it_and_of_no_other() -> None:
    reader = Caller("ray", "Ray", "member", given=(GivenSet(None, ["entry:read"]),))
    assert sees(reader, "entry:read", "teams", ["red"])
    assert not sees(reader, "tool:read", "teams", ["red"])


def test_who_is_no_user_owns_nothing_by_that() -> None:
    assert not sees(Caller("", "nobody", "member"), "gateway:read", "personal", [], None)
