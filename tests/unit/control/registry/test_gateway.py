from __future__ import annotations

from control.registry.gateway import visibility_of
from core.snapshot import Visibility


def test_teams_and_owner_stand_only_where_they_count() -> None:
    personal = {"visibility": "personal", "owner_id": "u1"}
    assert visibility_of(personal, ["t1"]) == Visibility("personal", owner="u1")
    everybody = {"visibility": "organisation", "owner_id": None}
    assert visibility_of(everybody, ["t1"]) == Visibility("organisation")


def test_teams_stand_in_one_order() -> None:
    assert visibility_of({"visibility": "teams", "owner_id": None}, ["t2", "t1"]).teams == ["t1", "t2"]
