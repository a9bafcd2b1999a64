"""What a caller may not see is not there."""

from __future__ import annotations

import pytest

from control.changes.refusals import NotAllowed, NotThere
from control.changes.visible import managed_entry, visible_entry, visible_gateway, visible_installation
from control.registry.access import Caller
from control.registry.owner import Person
from tests.fakes.registry import a_gateway, an_entry, an_installation

ANN, ADMIN = Caller("ann", "Ann", "member"), Caller("root", "Root", "admin")
HIDDEN = an_entry(visibility="teams", teams=("t1",))
BOBS = an_installation(owner=Person("bob"))
BOBS_GATEWAY = a_gateway(visibility="personal", owner_id="bob")


def test_an_admin_sees_everything() -> None:
    assert visible_entry(HIDDEN, ADMIN) is HIDDEN
    assert visible_installation(BOBS, ADMIN) is BOBS
    assert visible_gateway(BOBS_GATEWAY, ADMIN) is BOBS_GATEWAY


def test_what_is_hidden_is_said_as_what_is_not_there() -> None:
    for entry in (HIDDEN, None):
        with pytest.raises(NotThere, match="no such entry"):
            visible_entry(entry, ANN)
    for installation in (BOBS, None):
        with pytest.raises(NotThere, match="no such installation"):
            visible_installation(installation, ANN)
    for gateway in (BOBS_GATEWAY, None):
        with pytest.raises(NotThere, match="no such gateway"):
            visible_gateway(gateway, ANN)


def test_an_entry_is_managed_by_whoever_may_do_it_to_its_owners_and_else_refused_or_not_there() -> None:
    eve = Caller("eve", "Eve", "member", {"t1": "editor"})
    reds = an_entry(visibility="teams", teams=("t1",), team_id="t1")
    assert managed_entry(reds, eve, "entry:update") is reds
    assert managed_entry(HIDDEN, ADMIN, "entry:update") is HIDDEN
    with pytest.raises(NotAllowed, match="needs entry:delete"):
        managed_entry(HIDDEN, eve, "entry:delete")  # shown to the team, and not its own
    for found in (HIDDEN, reds, None):
        with pytest.raises(NotThere, match="no such entry"):
            managed_entry(found, ANN, "entry:update")


def test_what_is_shown_to_all_is_there_for_a_member() -> None:
    assert visible_entry(an_entry(), ANN)
    assert visible_installation(an_installation(), ANN)
    assert visible_gateway(a_gateway(), ANN)
