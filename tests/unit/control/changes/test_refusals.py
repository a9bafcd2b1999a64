"""Why changes are not made."""

from __future__ import annotations

import pytest

from control.changes.refusals import NotNow, NotThere, Stale, refuse_in_use, refuse_stale


def test_what_is_not_there_and_what_may_not_be_seen_are_said_alike() -> None:
    assert str(NotThere("team")) == "There is no such team, or you may not see it."


def test_a_clash_may_name_fields() -> None:
    assert NotNow("Taken.", [("name", "choose another")]).fields == (("name", "choose another"),)
    assert NotNow("Taken.").fields == ()


def test_what_is_in_use_goes_only_with_all_that_depends_on_it() -> None:
    with pytest.raises(NotNow, match=r"^The entry is in use by this, that\. Delete those first\.$") as refused:
        refuse_in_use("entry", ["this", "that"], cascade=False)
    assert refused.value.fields == (
        ("cascade", "is needed, to delete this too"),
        ("cascade", "is needed, to delete that too"),
    )
    refuse_in_use("entry", ["this", "that"], cascade=True)
    refuse_in_use("entry", [], cascade=False)


@pytest.mark.parametrize("read", [None, 3])
def test_the_version_that_was_read_may_be_changed(read: int | None) -> None:
    refuse_stale(read, 3)


@pytest.mark.parametrize("read", [2, 4, -1])
def test_another_version_may_not(read: int) -> None:
    with pytest.raises(Stale, match="changed this meanwhile"):
        refuse_stale(read, 3)
