import pytest

from control.registry.access import Caller
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
    assert sees(ANNA, kind, teams, owner) is seen


def test_an_admin_sees_every_row() -> None:
    assert sees(ADMIN, "personal", [], "anna")


def test_who_is_no_user_owns_nothing_by_that() -> None:
    assert not sees(Caller("", "nobody", "member"), "personal", [], None)
