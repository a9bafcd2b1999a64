from control.registry.fields import Field
from control.registry.owner import Person
from control.registry.told import as_plain
from tests.fakes.registry import MADE_AT


def test_values_become_dictionaries_and_lists() -> None:
    assert as_plain(("a", "b")) == ["a", "b"]
    assert as_plain((Field("site", "select", "x-site", options=("eu",)),))[0]["options"] == ["eu"]
    assert as_plain(Person("u1")) == {"type": "personal", "id": "u1"}


def test_a_point_in_time_stays_one() -> None:
    assert as_plain({"at": MADE_AT}) == {"at": MADE_AT}
