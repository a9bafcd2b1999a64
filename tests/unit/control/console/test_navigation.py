"""Who is led where."""

from __future__ import annotations

from control.console.navigation import navigation
from control.registry.access import Caller, GivenSet
from control.registry.actions import Role

TEAM = "0" * 8 + "-0000-0000-0000-" + "0" * 12


def paths(caller: Caller, at: str = "/") -> list[str]:
    return [place.path for _, places in navigation(caller, at) for place in places]


def caller(role: Role = "member", **more: object) -> Caller:
    return Caller("u", "Ann", role, **more)  # type: ignore[arg-type]


def test_a_member_sees_what_is_theirs_and_nothing_else() -> None:
    assert paths(caller()) == ["/", "/my/connect", "/my/connections", "/my/access"]


def test_an_admin_sees_everything() -> None:
    rows = {"/gateways", "/activity", "/people", "/teams", "/tokens", "/identity-providers", "/oauth-clients"}
    assert rows < set(paths(caller("admin")))


def test_an_editor_sees_servers_and_gateways_and_who_lets_people_in_and_no_people() -> None:
    tools = ["/registry", "/installations", "/pull-secrets", "/gateways"]
    assert paths(caller("editor"))[4:] == [*tools, "/identity-providers", "/oauth-clients", "/environments"]


def test_an_admin_of_a_team_sees_what_they_can_do_for_it() -> None:
    assert {"/activity", "/people", "/teams", "/tokens"} < set(paths(caller(teams={TEAM: "admin"})))


def test_an_editor_of_a_team_keeps_its_servers_and_a_member_of_it_does_not() -> None:
    assert paths(caller(teams={TEAM: "editor"}))[4:] == ["/registry", "/installations", "/pull-secrets"]
    assert paths(caller(teams={TEAM: "member"}))[4:] == []


def test_a_role_that_was_given_shows_its_page() -> None:
    given = (GivenSet(None, ["user:list"]),)
    assert paths(caller(given=given))[4:] == ["/people"]


def test_the_page_that_one_is_at_is_marked_with_those_below_it() -> None:
    def here(at: str) -> list[str]:
        return [place.label for _, places in navigation(caller("admin"), at) for place in places if place.here]

    assert here("/") == ["Home"]
    assert here("/people/invite") == ["People"]
    assert here("/connect/sales") == ["Connect"]
    assert here("/peoples") == []
