from __future__ import annotations

from control.registry.gateway import told_of_gateway, visibility_of
from core.snapshot import Visibility
from tests.fakes.registry import MADE_AT, a_gateway, gateway_fields


def test_teams_and_owner_stand_only_where_they_count() -> None:
    personal = gateway_fields(visibility="personal", owner_id="u1", teams=("t1",))
    assert visibility_of(personal) == Visibility("personal", owner="u1")
    everybody = gateway_fields(teams=("t1",))
    assert visibility_of(everybody) == Visibility("organisation")


def test_teams_stand_in_one_order() -> None:
    assert visibility_of(gateway_fields(visibility="teams", teams=("t2", "t1"))).teams == ["t1", "t2"]


def test_people_are_told_all_that_is_kept_of_a_gateway() -> None:
    told = told_of_gateway(a_gateway(header_allowlist=("x-a",)))
    assert (told["slug"], told["header_allowlist"], told["created_at"]) == ("work", ["x-a"], MADE_AT)
