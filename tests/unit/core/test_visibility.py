import pytest

from core.resolve import Principal
from core.snapshot import Visibility
from core.visibility import may_enter

MEMBER = Principal("user", "u1", "Ann", frozenset({"t1"}))
STRANGER = Principal("user", "u2", "Bob", frozenset({"t2"}))
TEAM = Principal("team", "t1", "Team", frozenset({"t1"}))
ORGANISATION = Principal("organisation", "o", "Us")


@pytest.mark.parametrize("principal", [MEMBER, STRANGER, TEAM, ORGANISATION])
def test_everybody_here_enters_a_gateway_of_the_organisation(principal: Principal) -> None:
    assert may_enter(principal, Visibility("organisation"))


@pytest.mark.parametrize(
    ("principal", "enters"), [(MEMBER, True), (TEAM, True), (STRANGER, False), (ORGANISATION, False)]
)
def test_only_its_teams_enter_a_gateway_of_teams(principal: Principal, enters: bool) -> None:
    assert may_enter(principal, Visibility("teams", ["t1"])) is enters


@pytest.mark.parametrize(
    ("principal", "enters"), [(MEMBER, True), (STRANGER, False), (TEAM, False), (ORGANISATION, False)]
)
def test_only_its_owner_enters_a_personal_gateway(principal: Principal, enters: bool) -> None:
    assert may_enter(principal, Visibility("personal", owner="u1")) is enters


ZOE = Principal("external", "x1", "zoe at https://id.test", frozenset({"t1"}))
NIGHTLY = Principal("service", "c1", "Nightly", frozenset({"t1"}))


@pytest.mark.parametrize(
    ("visibility", "enters"),
    [
        (Visibility("organisation"), False),
        (Visibility("teams", ["t1"]), True),
        (Visibility("teams", ["t2"]), False),
        (Visibility("personal", owner="x1"), False),
    ],
)
def test_who_has_no_account_enters_by_a_team_alone(visibility: Visibility, enters: bool) -> None:
    assert may_enter(ZOE, visibility) is enters


@pytest.mark.parametrize(("services", "enters"), [([], True), (["c1"], True), (["c2"], False)])
def test_a_gateway_that_names_its_clients_lets_in_no_other_service_account(services: list[str], enters: bool) -> None:
    assert may_enter(NIGHTLY, Visibility("organisation", services=services)) is enters
    assert may_enter(NIGHTLY, Visibility("teams", ["t1"], services=services)) is enters
    assert may_enter(MEMBER, Visibility("organisation", services=services))
