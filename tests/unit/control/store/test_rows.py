from dataclasses import dataclass

import msgspec
import pytest

from control.registry.owner import Owner, Person
from control.store.rows import columns_of, made, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    teams: tuple[str, ...]
    owner: Owner
    sealed: bytes | None


ROW = {"name": "one", "teams": ["t1"], "sealed": b"x", "other": 1}


def test_a_row_becomes_a_value_of_its_type() -> None:
    assert made(Thing, ROW, owner=Person("u1")) == Thing(name="one", teams=("t1",), owner=Person("u1"), sealed=b"x")


@pytest.mark.parametrize("row", [{"name": "one"}, {**ROW, "name": None}, {**ROW, "teams": "t1"}])
def test_a_row_that_lacks_a_column_or_has_another_type_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        made(Thing, row, owner=Person("u1"))


def test_columns_are_the_fields_and_get_their_values_in_order() -> None:
    columns = columns_of(Thing, apart={"owner"})
    assert columns == ("name", "teams", "sealed")
    thing = Thing(name="one", teams=("t1",), owner=Person("u1"), sealed=b"x")
    assert values_of(thing, columns) == ["one", ("t1",), b"x"]
