"""Whose records somebody may read."""

from __future__ import annotations

from control.registry.access import Caller, GivenSet
from control.registry.record_access import principals_read_by


def test_everybody_reads_their_own_and_admins_of_a_team_the_teams() -> None:
    assert principals_read_by(Caller("u1", "Ann", "member", {"blue": "member"})) == ["user:u1"]
    assert principals_read_by(Caller("u1", "Ann", "editor", {"red": "admin"})) == ["user:u1", "team:red"]


def test_an_admin_and_whoever_holds_it_for_the_organisation_reads_all() -> None:
    assert principals_read_by(Caller("u1", "Ann", "admin")) is None
    assert principals_read_by(Caller("u1", "Ann", "member", given=(GivenSet(None, ["record:read"]),))) is None


def test_who_is_no_person_reads_none() -> None:
    assert principals_read_by(Caller("", "the server", "member")) == []
